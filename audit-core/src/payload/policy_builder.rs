use std::fmt;

use regex_automata::meta;
use regex_automata::util::syntax;
use regex_syntax::hir::Hir;
use regex_syntax::hir::literal::Extractor;

use super::fingerprint::Fingerprints;
use super::keys::KeyWords;
use super::patterns::{Custom, Patterns};
use super::policy::{PayloadPolicy, Rules};
use super::selector::PathVerdict;
use super::{PayloadLevel, PayloadLimits};
use crate::Glob;

/// The shortest literal that a pattern may begin with: what is shorter is found everywhere.
const MIN_PREFIX: usize = 3;

/// The most beginnings that one pattern may have.
const MAX_PREFIXES: usize = 16;

/// The longest name of a rule, so that its mark stays short.
const MAX_NAME: usize = 24;

/// Builds a [`PayloadPolicy`].
#[derive(Debug, Default)]
#[must_use]
pub struct PayloadPolicyBuilder {
    pub(super) rules: Rules,
    custom: Vec<Custom>,
    pub(super) problem: Option<InvalidPolicy>,
}

impl PayloadPolicyBuilder {
    /// The limits of requests and of responses.
    pub fn limits(self, limits: PayloadLimits) -> Self {
        self.request_limits(limits).response_limits(limits)
    }

    /// The limits of what callers send.
    pub fn request_limits(mut self, limits: PayloadLimits) -> Self {
        self.rules.request = limits;
        self.check_limits(limits);
        self
    }

    /// The limits of what tools answer.
    pub fn response_limits(mut self, limits: PayloadLimits) -> Self {
        self.rules.response = limits;
        self.check_limits(limits);
        self
    }

    /// Redacts what stands under `key`, in whatever way it is written: `tenant_ref`, `tenantRef`
    /// and `Tenant-Ref` are the same.
    pub fn redact_key(mut self, key: &str) -> Self {
        if let Some(key) = self.words(key) {
            self.rules.redact_keys.insert(key);
        }
        self
    }

    /// Keeps what stands under `key` although a built-in rule would redact it. Value patterns and
    /// the caller's credentials are redacted there all the same.
    pub fn allow_key(mut self, key: &str) -> Self {
        if let Some(key) = self.words(key) {
            self.rules.allow_keys.insert(key);
        }
        self
    }

    /// Redacts what stands at `path`: keys and element numbers with dots between them, `*` for
    /// any one step, `**` for any number, as in `params.arguments.*.note`.
    pub fn redact_path(mut self, path: &str) -> Self {
        self.path(path, PathVerdict::Redact);
        self
    }

    /// Keeps what stands at `path` although a key rule would redact it.
    pub fn allow_path(mut self, path: &str) -> Self {
        self.path(path, PathVerdict::Keep);
        self
    }

    /// Redacts what `regex` matches, under the name `rule`. The pattern must begin with a literal
    /// of at least three bytes, such as the prefix of the gateway's own keys.
    pub fn pattern(mut self, rule: &str, regex: &str) -> Self {
        match custom(rule, regex) {
            Ok(custom) => self.custom.push(custom),
            Err(reason) => self.refuse(format!("pattern {rule:?}: {reason}")),
        }
        self
    }

    /// How much is kept of the payloads of tools whose names match the pattern.
    pub fn level(mut self, glob: &str, level: PayloadLevel) -> Self {
        self.rules.levels.push((Glob::new(glob), level));
        self
    }

    /// How much is kept where no glob says otherwise.
    pub fn default_level(mut self, level: PayloadLevel) -> Self {
        self.rules.default_level = level;
        self
    }

    /// Adds keyed fingerprints (HMAC-SHA256, cut to 64 bits) to the marks of redactions whose
    /// values nobody can guess. `key_id` names the key, for the day when there is another.
    pub fn fingerprints(mut self, key_id: &str, key: &[u8]) -> Self {
        if !is_name(key_id, 8) {
            self.refuse("the key id of fingerprints is not 1 to 8 letters, digits or `_`".into());
        } else if key.len() < 16 {
            self.refuse("the key of fingerprints has fewer than 16 bytes".into());
        } else {
            self.rules.fingerprints = Fingerprints::new(key_id, key);
        }
        self
    }

    /// Adds the rules of a file of policy: its table `payload`; what else it has is for
    /// [`AuditPolicy::from_toml`](crate::logger::AuditPolicy::from_toml).
    ///
    /// ```toml
    /// [payload]
    /// level = "full"                    # where no glob says otherwise: full, metadata, off
    /// redact_keys = ["tenant_ref"]
    /// allow_keys = ["session_token"]
    /// redact_paths = ["params.arguments.*.note"]
    /// allow_paths = ["params.arguments.password_policy"]
    ///
    /// [payload.patterns]                # each begins with a literal of at least three bytes
    /// gateway_key = "bansho_sk_[0-9a-z]{8,}"
    ///
    /// [[payload.levels]]                # the last one that matches the tool decides
    /// tools = ["health_*"]
    /// level = "metadata"
    ///
    /// [payload.limits]
    /// bytes = 8192
    /// ```
    ///
    /// # Errors
    /// The text is no TOML, names what there is not, or has a rule that cannot work; the message
    /// names the line.
    #[cfg(feature = "toml")]
    pub fn toml(self, text: &str) -> Result<Self, crate::Error> {
        super::toml_form::add(text, self)
    }

    /// The policy.
    ///
    /// # Errors
    /// The first of the rules that cannot work, with the reason.
    pub fn build(mut self) -> Result<PayloadPolicy, InvalidPolicy> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        if !self.custom.is_empty() {
            self.rules.patterns = Some(Patterns::new(self.custom));
        }
        Ok(PayloadPolicy::new(self.rules))
    }

    fn check_limits(&mut self, limits: PayloadLimits) {
        if let Some((name, min, max)) = limits.problem() {
            self.refuse(format!("the limit {name} is not within {min} and {max}"));
        }
    }

    fn words(&mut self, key: &str) -> Option<Box<[u8]>> {
        let mut words = KeyWords::default();
        let joined: Box<[u8]> = words.read(key).joined().into();
        if joined.is_empty() {
            self.refuse(format!("the key {key:?} has no letters"));
            return None;
        }
        Some(joined)
    }

    fn path(&mut self, path: &str, verdict: PathVerdict) {
        if let Err(reason) = self.rules.selectors.add(path, verdict) {
            self.refuse(format!("path {path:?}: {reason}"));
        }
    }

    /// Remembers the first problem.
    fn refuse(&mut self, reason: String) {
        self.problem.get_or_insert(InvalidPolicy { reason });
    }
}

fn is_name(name: &str, longest: usize) -> bool {
    let is_plain = name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    !name.is_empty() && name.len() <= longest && is_plain
}

fn custom(rule: &str, pattern: &str) -> Result<Custom, String> {
    if !is_name(rule, MAX_NAME) {
        return Err(format!(
            "the name is not 1 to {MAX_NAME} of a-z, 0-9 and `_`"
        ));
    }
    let syntax = syntax::Config::new().unicode(false).utf8(false);
    let hir = syntax::parse_with(pattern, &syntax).map_err(|e| e.to_string())?;
    let prefixes = literal_prefixes(&hir)?;
    let config = meta::Config::new()
        .utf8_empty(false)
        .nfa_size_limit(Some(1 << 20));
    let regex = meta::Builder::new()
        .configure(config)
        .build_from_hir(&hir)
        .map_err(|e| match e.size_limit() {
            Some(most) => format!("the pattern takes more than {most} bytes when it is compiled"),
            None => e.to_string(),
        })?;
    Ok(Custom {
        rule: rule.into(),
        regex,
        prefixes,
    })
}

/// What each match of the pattern begins with.
fn literal_prefixes(hir: &Hir) -> Result<Vec<Box<[u8]>>, String> {
    let found = Extractor::new().limit_total(MAX_PREFIXES).extract(hir);
    let none = || {
        format!(
            "no literal beginning: each match must start with one of at most {MAX_PREFIXES} texts of at least {MIN_PREFIX} bytes"
        )
    };
    let literals = found.literals().ok_or_else(none)?;
    if literals.is_empty() || literals.iter().any(|literal| literal.len() < MIN_PREFIX) {
        return Err(none());
    }
    Ok(literals
        .iter()
        .map(|literal| literal.as_bytes().into())
        .collect())
}

/// A policy that cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidPolicy {
    reason: String,
}

impl fmt::Display for InvalidPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the payload policy cannot work: {}", self.reason)
    }
}

impl std::error::Error for InvalidPolicy {}
