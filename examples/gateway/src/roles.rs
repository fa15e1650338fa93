use std::collections::BTreeMap;

use audit_core::Glob;
use audit_core::event::{Role, RuleName};
use serde::Deserialize;

use crate::error::ConfigError;

/// What each role may do, from `roles.toml`.
#[derive(Clone, Debug, Default)]
pub struct Roles {
    roles: BTreeMap<String, RoleRules>,
}

/// What one role may do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RoleRules {
    /// The tools it may use. Each comes with its text, which is on record as the rule.
    pub tools: Vec<(RuleName, Glob)>,
    /// How many calls a key of this role may make in a minute.
    pub calls_per_minute: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesEntry {
    tools: Vec<String>,
    calls_per_minute: u32,
}

impl Roles {
    /// Reads `roles.toml`: a table for each role.
    ///
    /// ```toml
    /// [reader]
    /// tools = ["get_*", "search"]   # globs
    /// calls_per_minute = 60
    /// ```
    ///
    /// # Errors
    /// The text is no TOML, or says of a role what is not known here.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let file: BTreeMap<String, RulesEntry> = toml::from_str(text).map_err(ConfigError::new)?;
        let roles: Result<_, _> = file
            .into_iter()
            .map(|(role, entry)| Ok((role, entry.read()?)))
            .collect();
        Ok(Self { roles: roles? })
    }

    /// What a role may do; `None` for one that is not in the file.
    pub(crate) fn of(&self, role: &Role) -> Option<&RoleRules> {
        self.roles.get(role.as_str())
    }

    /// The rule by which a role may use a tool; without one, it may not.
    pub(crate) fn allow(&self, role: &Role, tool: &str) -> Option<&RuleName> {
        let mut tools = self.of(role)?.tools.iter();
        let (rule, _) = tools.find(|(_, glob)| glob.matches(tool))?;
        Some(rule)
    }
}

impl RulesEntry {
    fn read(self) -> Result<RoleRules, ConfigError> {
        let tool = |text: &String| {
            let rule = RuleName::new(text).map_err(ConfigError::new)?;
            Ok((rule, Glob::new(text)))
        };
        let tools: Result<_, _> = self.tools.iter().map(tool).collect();
        Ok(RoleRules {
            tools: tools?,
            calls_per_minute: self.calls_per_minute,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_may_do_what_its_globs_say_and_nothing_else() {
        let text = "[reader]\ntools = ['get_*', 'search']\ncalls_per_minute = 60\n";
        let roles = Roles::from_toml(text).unwrap();
        let reader = Role::new("reader").unwrap();
        let rule = |tool| roles.allow(&reader, tool).map(RuleName::as_str);
        assert_eq!(rule("get_weather"), Some("get_*"));
        assert_eq!(rule("search"), Some("search"));
        assert_eq!(rule("delete_customer"), None);
        assert!(
            roles
                .allow(&Role::new("unheard").unwrap(), "search")
                .is_none()
        );
    }

    #[test]
    fn a_typing_error_in_the_file_is_told() {
        let error = Roles::from_toml("[reader]\ntool = ['x']\n").unwrap_err();
        assert!(error.to_string().contains("tool"), "{error}");
    }
}
