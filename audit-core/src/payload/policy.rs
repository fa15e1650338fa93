use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use super::endings::Ending;
use super::fingerprint::Fingerprints;
use super::key_rules::{ENDINGS, built_in};
use super::keys::KeyWords;
use super::patterns::Patterns;
use super::policy_builder::PayloadPolicyBuilder;
use super::secret::{KeyRule, Reach, Secret};
use super::selector::Selectors;
use super::{CallerCredential, PayloadLevel, PayloadLimits, leaf};
use crate::Glob;

/// The operator's rules: what counts as a secret, how much is kept.
///
/// The default is what every gateway wants. Cloning is cheap.
///
/// ```
/// # use audit_core::payload::{Payload, PayloadContext, PayloadLevel, PayloadPolicy};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let policy = PayloadPolicy::builder()
///     .pattern("gateway_key", "bansho_sk_[0-9a-z]{8,}")
///     .redact_key("tenant ref")
///     .allow_key("session token")
///     .level("health_*", PayloadLevel::Metadata)
///     .build()?;
/// let payload = Payload::from_json(
///     br#"{"tenantRef":"t-1","note":"used bansho_sk_0123456789"}"#,
///     &PayloadContext::request(&policy).tool("search"),
/// );
/// assert_eq!(
///     payload.json(),
///     Some(r#"{"tenantRef":"[REDACTED:operator_key]","note":"used [REDACTED:gateway_key]"}"#),
/// );
/// # Ok(())
/// # }
/// ```
///
/// # Which rule wins
/// A key that the operator redacts is redacted even if he also allows it; an allowed key beats the
/// built-in list; a path beats every key, and of two paths the one that redacts wins. Value
/// patterns and the caller's credentials hold everywhere, in allowed places too. Of several globs
/// the last one that matches the tool sets its level.
#[derive(Clone, Debug)]
pub struct PayloadPolicy {
    rules: Arc<Rules>,
}

/// What a policy holds.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) request: PayloadLimits,
    pub(super) response: PayloadLimits,
    pub(super) redact_keys: HashSet<Box<[u8]>>,
    pub(super) allow_keys: HashSet<Box<[u8]>>,
    pub(super) selectors: Selectors,
    /// None where the policy has no pattern of its own.
    pub(super) patterns: Option<Patterns>,
    pub(super) levels: Vec<(Glob, PayloadLevel)>,
    pub(super) default_level: PayloadLevel,
    pub(super) fingerprints: Option<Fingerprints>,
}

static DEFAULT: LazyLock<Arc<Rules>> = LazyLock::new(Arc::default);

impl PayloadPolicy {
    /// Starts from the default rules.
    pub fn builder() -> PayloadPolicyBuilder {
        PayloadPolicyBuilder::default()
    }

    pub(super) fn new(rules: Rules) -> Self {
        Self {
            rules: Arc::new(rules),
        }
    }

    /// The largest limits of the policy, request and response alike.
    #[must_use]
    pub fn limits(&self) -> PayloadLimits {
        self.rules.request.larger(self.rules.response)
    }

    /// The limits of what callers send.
    #[must_use]
    pub fn request_limits(&self) -> PayloadLimits {
        self.rules.request
    }

    /// The limits of what tools answer.
    #[must_use]
    pub fn response_limits(&self) -> PayloadLimits {
        self.rules.response
    }

    /// How much is kept of the payloads of `tool`.
    #[must_use]
    pub fn level(&self, tool: Option<&str>) -> PayloadLevel {
        let Rules {
            levels,
            default_level,
            ..
        } = &*self.rules;
        let matching =
            |(glob, _): &&(Glob, PayloadLevel)| tool.is_some_and(|tool| glob.matches(tool));
        levels
            .iter()
            .rev()
            .find(matching)
            .map_or(*default_level, |(_, level)| *level)
    }

    /// `text` without credentials, for short text that a client claims: names of tools and of
    /// clients. Plain text in, plain text out; borrowed where nothing was found.
    #[must_use]
    pub fn scrub_text<'t>(&self, text: &'t str, credentials: &[CallerCredential]) -> Cow<'t, str> {
        leaf::scrub(&self.rules, text, credentials)
    }

    /// The fingerprint that a redaction of `value` by `rule` carries in its mark, if this policy
    /// makes fingerprints and the rule is none whose values can be guessed.
    #[must_use]
    pub fn fingerprint(&self, rule: &str, value: &[u8]) -> Option<String> {
        self.rules.fingerprints.as_ref()?.of(rule, value)
    }

    pub(super) fn rules(&self) -> &Rules {
        &self.rules
    }
}

impl Default for PayloadPolicy {
    fn default() -> Self {
        Self {
            rules: Arc::clone(&DEFAULT),
        }
    }
}

impl Rules {
    /// The rule for a name, the operator's before ours.
    pub(super) fn secret_named(&self, name: &str, words: &mut KeyWords) -> Option<Secret> {
        let ending = Ending::of(name.as_bytes());
        if ending.is_some_and(|ending| !self.may_be_about(ending)) {
            return None;
        }
        self.secret(words.read(name))
    }

    /// Whether a rule may be about a name of this ending: certain only if not.
    pub(super) fn may_be_about(&self, ending: Ending) -> bool {
        !self.redact_keys.is_empty() || ENDINGS.may_have(ending)
    }

    /// The rule for a key, the operator's before ours.
    pub(super) fn secret(&self, key: &KeyWords) -> Option<Secret> {
        if self.redact_keys.contains(key.joined()) {
            return Some(Secret {
                rule: KeyRule::OperatorKey,
                reach: Reach::Any,
            });
        }
        if self.allow_keys.contains(key.joined()) {
            return None;
        }
        built_in(key)
    }

    pub(super) fn patterns(&self) -> &Patterns {
        match &self.patterns {
            Some(patterns) => patterns,
            None => Patterns::built_in(),
        }
    }

    pub(super) fn selectors(&self) -> &Selectors {
        &self.selectors
    }
}
