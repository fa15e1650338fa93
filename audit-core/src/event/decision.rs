use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

use super::error::{FieldProblem, InvalidField};
use super::text::{Reason, RuleName, Scrub};
use crate::payload::CallerCredential;

/// What the three checks of a gateway said about a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Decision {
    /// Who is calling: the check of the credential.
    pub auth: Check,
    /// May they: the check of the role, scope or policy.
    pub authz: Check,
    /// May they now: the rate limit.
    pub rate: Check,
}

impl Decision {
    /// Nothing checked yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every check passed.
    #[must_use]
    pub fn allowed() -> Self {
        Self {
            auth: Check::allowed(),
            authz: Check::allowed(),
            rate: Check::allowed(),
        }
    }

    /// The same decision with this answer to the check of the credential.
    #[must_use]
    pub fn auth(mut self, check: Check) -> Self {
        self.auth = check;
        self
    }

    /// The same decision with this answer to the check of the role.
    #[must_use]
    pub fn authz(mut self, check: Check) -> Self {
        self.authz = check;
        self
    }

    /// The same decision with this answer of the rate limit.
    #[must_use]
    pub fn rate(mut self, check: Check) -> Self {
        self.rate = check;
        self
    }

    /// The answer of a check.
    #[must_use]
    pub const fn check(&self, name: CheckName) -> &Check {
        match name {
            CheckName::Auth => &self.auth,
            CheckName::Authz => &self.authz,
            CheckName::Rate => &self.rate,
        }
    }

    /// The checks with their names, in the order in which a gateway makes them.
    pub fn checks(&self) -> impl Iterator<Item = (CheckName, &Check)> {
        [
            (CheckName::Auth, &self.auth),
            (CheckName::Authz, &self.authz),
            (CheckName::Rate, &self.rate),
        ]
        .into_iter()
    }
}

/// The name of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CheckName {
    /// [`Decision::auth`].
    Auth,
    /// [`Decision::authz`].
    Authz,
    /// [`Decision::rate`].
    Rate,
}

impl fmt::Display for CheckName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Auth => "auth",
            Self::Authz => "authz",
            Self::Rate => "rate",
        })
    }
}

/// The answer of one check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// What the check said.
    pub verdict: Verdict,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// By which rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleName>,
    /// The limit that was applied: calls per window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// What was left of the limit after this call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<u32>,
}

impl Check {
    /// The check let the call pass.
    #[must_use]
    pub fn allowed() -> Self {
        Self {
            verdict: Verdict::Allowed,
            ..Self::default()
        }
    }

    /// The check refused the call.
    #[must_use]
    pub fn denied(reason: Reason) -> Self {
        Self {
            verdict: Verdict::Denied,
            reason: Some(reason),
            ..Self::default()
        }
    }

    /// The check could not be made, because what it depends on failed.
    #[must_use]
    pub fn error(reason: Reason) -> Self {
        Self {
            verdict: Verdict::Error,
            reason: Some(reason),
            ..Self::default()
        }
    }

    /// The check was not made.
    #[must_use]
    pub fn skipped() -> Self {
        Self::default()
    }

    /// The same answer with its reason.
    #[must_use]
    pub fn reason(mut self, reason: Reason) -> Self {
        self.reason = Some(reason);
        self
    }

    /// The same answer with the rule that gave it.
    #[must_use]
    pub fn rule(mut self, rule: RuleName) -> Self {
        self.rule = Some(rule);
        self
    }

    /// The same answer with the limit and what is left of it.
    #[must_use]
    pub fn quota(mut self, limit: u32, remaining: u32) -> Self {
        self.limit = Some(limit);
        self.remaining = Some(remaining);
        self
    }
}

/// What a check said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Verdict {
    /// The call may go on.
    Allowed,
    /// The call may not go on.
    Denied,
    /// The check itself failed. Whether the call went on is the gateway's policy; that nobody
    /// decided is the truth.
    Error,
    /// The check was not made: not configured, or an earlier one had refused.
    #[default]
    Skipped,
}

impl Verdict {
    /// Every verdict, in alphabetical order.
    pub const ALL: &[Self] = &[Self::Allowed, Self::Denied, Self::Error, Self::Skipped];

    /// The word that stores and filters use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Error => "error",
            Self::Skipped => "skipped",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Verdict {
    type Err = InvalidField;

    fn from_str(word: &str) -> Result<Self, InvalidField> {
        Self::ALL
            .iter()
            .copied()
            .find(|verdict| verdict.as_str() == word)
            .ok_or_else(|| {
                InvalidField::new(
                    "decision",
                    FieldProblem::Malformed {
                        expected: "a verdict: allowed, denied, error or skipped",
                    },
                )
            })
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Scrub for Decision {
    fn scrub(&mut self, credentials: &[CallerCredential]) {
        for check in [&mut self.auth, &mut self.authz, &mut self.rate] {
            check.reason.scrub(credentials);
            check.rule.scrub(credentials);
        }
    }
}

/// A decision as it is written, before its words and bounds are checked.
#[derive(Deserialize)]
pub(super) struct DecisionForm {
    auth: CheckForm,
    authz: CheckForm,
    rate: CheckForm,
}

#[derive(Deserialize)]
struct CheckForm {
    verdict: Box<str>,
    reason: Option<Box<str>>,
    rule: Option<Box<str>>,
    limit: Option<u32>,
    remaining: Option<u32>,
}

impl TryFrom<DecisionForm> for Decision {
    type Error = InvalidField;

    fn try_from(form: DecisionForm) -> Result<Self, InvalidField> {
        Ok(Self {
            auth: form.auth.try_into()?,
            authz: form.authz.try_into()?,
            rate: form.rate.try_into()?,
        })
    }
}

impl TryFrom<CheckForm> for Check {
    type Error = InvalidField;

    fn try_from(form: CheckForm) -> Result<Self, InvalidField> {
        Ok(Self {
            verdict: form.verdict.parse()?,
            reason: form.reason.as_deref().map(Reason::restore).transpose()?,
            rule: form.rule.as_deref().map(RuleName::restore).transpose()?,
            limit: form.limit,
            remaining: form.remaining,
        })
    }
}
