//! Which calls are kept how safely.

mod rule;
#[cfg(feature = "toml")]
mod toml_form;

pub use rule::PolicyRule;

use crate::error::{Error, ErrorKind};
use crate::event::{Method, Outcome, ToolName};
use crate::sink::Durability;

/// What the callers of a logger wait for, and which calls are announced before their tools run: a
/// default, and rules by tool, method and outcome of which the first that matches decides.
///
/// # Examples
/// ```
/// use audit_core::Glob;
/// use audit_core::event::Outcome;
/// use audit_core::logger::{AuditPolicy, PolicyRule};
/// use audit_core::sink::Durability;
///
/// let policy = AuditPolicy::new()
///     // What deletes something is on record before it runs, and committed when it answers.
///     .rule(
///         PolicyRule::new()
///             .tool(Glob::new("delete_*"))
///             .write_ahead(true)
///             .durability(Durability::Committed),
///     )
///     // Nobody waits for the record of a refusal.
///     .rule(PolicyRule::new().outcome(Outcome::RateLimited).durability(Durability::Queued));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct AuditPolicy {
    durability: Option<Durability>,
    rules: Vec<PolicyRule>,
}

impl AuditPolicy {
    /// No rules: every caller waits for what the sink promises.
    pub const fn new() -> Self {
        Self {
            durability: None,
            rules: Vec::new(),
        }
    }

    /// Reads a policy from TOML.
    ///
    /// ```toml
    /// durability = "spooled"          # the default: queued, spooled, committed
    ///
    /// [[rule]]
    /// tools = ["delete_*", "drop_*"]  # globs; none: any
    /// methods = ["tools/call"]
    /// write_ahead = true              # on record before it runs
    /// durability = "committed"
    ///
    /// [[rule]]
    /// outcomes = ["rate_limited"]     # none: any
    /// durability = "queued"
    /// ```
    ///
    /// The table `payload` of the same file is for
    /// [`PayloadPolicyBuilder::toml`](crate::payload::PayloadPolicyBuilder::toml).
    ///
    /// # Errors
    /// The text is no TOML, names what a policy does not have, or has a rule that cannot work; the
    /// message names the line.
    #[cfg(feature = "toml")]
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        toml_form::read(text)
    }

    /// What callers wait for where no rule says otherwise; all that the sink promises with its
    /// first answer, if nothing is said.
    pub const fn durability(mut self, durability: Durability) -> Self {
        self.durability = Some(durability);
        self
    }

    /// Adds a rule behind the others: it decides where none before it matches.
    pub fn rule(mut self, rule: PolicyRule) -> Self {
        self.rules.push(rule);
        self
    }

    /// What the caller of a call waits for; `None`: what the sink promises.
    pub(super) fn durability_of(
        &self,
        method: &Method,
        tool: Option<&ToolName>,
        outcome: Outcome,
    ) -> Option<Durability> {
        let mut rules = self.rules.iter();
        rules
            .find(|rule| rule.is_for(method, tool) && rule.is_of(outcome))
            .and_then(PolicyRule::asks_for)
            .or(self.durability)
    }

    /// Whether a call that begins is announced. Its outcome is not known: rules that ask for one
    /// are passed over.
    pub(super) fn is_write_ahead(&self, method: &Method, tool: Option<&ToolName>) -> bool {
        let mut rules = self.rules.iter();
        rules
            .find(|rule| rule.is_of_any_outcome() && rule.is_for(method, tool))
            .is_some_and(PolicyRule::is_write_ahead)
    }

    /// Whether any call is announced, so that the logger needs a log of intents.
    #[must_use]
    pub fn has_write_ahead(&self) -> bool {
        self.rules.iter().any(PolicyRule::is_write_ahead)
    }

    /// Whether each rule can work, and each durability is one that `check` lets pass.
    pub(super) fn check(
        &self,
        check: impl Fn(Durability) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.durability.map_or(Ok(()), &check)?;
        for (place, rule) in (1..).zip(&self.rules) {
            let invalid = |text| Error::new(ErrorKind::Invalid, text);
            if let Some(problem) = rule.problem() {
                return Err(invalid(format!("rule {place} of the policy {problem}")));
            }
            if let Some(durability) = rule.asks_for() {
                check(durability).map_err(|source| {
                    let text = format!("rule {place} of the policy cannot be kept");
                    Error::with_source(ErrorKind::Invalid, text, source)
                })?;
            }
        }
        Ok(())
    }
}
