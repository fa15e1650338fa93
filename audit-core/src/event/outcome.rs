use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::error::{FieldProblem, InvalidField};
use super::status::StatusCode;

/// Defines the outcomes once: variant, word, default status.
macro_rules! outcomes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, $status:literal;)+) => {
        /// What came of a call, in one word.
        ///
        /// The word is truthful whatever the transport said: a tool error inside an HTTP 200 is
        /// [`ToolError`](Self::ToolError), and a dependency that failed (a rate limiter that is
        /// down) is [`InternalError`](Self::InternalError), never [`Denied`](Self::Denied).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Outcome {
            $($(#[$doc])* $variant,)+
        }

        impl Outcome {
            /// Every outcome, in alphabetical order.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word that stores and filters use.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The status of a call for which the gateway names none; the only place that
            /// derives one. 0 where nothing can have been sent.
            #[must_use]
            pub const fn default_status(self) -> StatusCode {
                match self {
                    $(Self::$variant => const { StatusCode::known($status) },)+
                }
            }
        }
    };
}

outcomes! {
    /// The record's owner vanished: the guard of the call was dropped without an outcome, by a
    /// panic, by a cancelled task or by an early return.
    Aborted = "aborted", 0;
    /// The caller took the call back, or left before the answer.
    Cancelled = "cancelled", 499;
    /// Authorization said no.
    Denied = "denied", 403;
    /// The gateway itself, or something it depends on to decide, failed.
    InternalError = "internal_error", 500;
    /// A crash came between the beginning of the call and its record; found afterwards.
    Interrupted = "interrupted", 0;
    /// The request could not be understood: malformed, or of a form the method does not take.
    InvalidRequest = "invalid_request", 400;
    /// The tool did what it was asked for.
    Ok = "ok", 200;
    /// The rate limit said no.
    RateLimited = "rate_limited", 429;
    /// The upstream answered with a protocol error (JSON-RPC `error`), such as an unknown tool.
    RpcError = "rpc_error", 200;
    /// No answer within the time allowed.
    Timeout = "timeout", 504;
    /// The tool ran and reported a failure of its own (MCP `isError`).
    ToolError = "tool_error", 200;
    /// Nobody could be recognized as the caller: no credential, or none that is valid.
    Unauthenticated = "unauthenticated", 401;
    /// The upstream was reached and the connection ended before the answer did.
    UpstreamDisconnected = "upstream_disconnected", 502;
    /// The upstream could not be reached.
    UpstreamUnavailable = "upstream_unavailable", 503;
}

impl Outcome {
    /// Whether the call did what it was asked for.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        matches!(self, Self::Ok)
    }

    /// Whether a check of the gateway refused the call.
    #[must_use]
    pub const fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::Denied | Self::RateLimited | Self::Unauthenticated
        )
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Outcome {
    type Err = InvalidField;

    fn from_str(word: &str) -> Result<Self, InvalidField> {
        Self::ALL
            .iter()
            .copied()
            .find(|outcome| outcome.as_str() == word)
            .ok_or_else(|| {
                InvalidField::new(
                    "outcome",
                    FieldProblem::Malformed {
                        expected: "an outcome that this version knows",
                    },
                )
            })
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_names_its_outcome() {
        for outcome in Outcome::ALL {
            assert_eq!(outcome.as_str().parse::<Outcome>().unwrap(), *outcome);
        }
        assert_eq!("success".parse::<Outcome>().unwrap_err().field(), "outcome");
    }

    #[test]
    fn a_refusal_has_the_status_that_says_so() {
        let statuses = [
            Outcome::Unauthenticated,
            Outcome::Denied,
            Outcome::RateLimited,
        ]
        .map(|outcome| outcome.default_status().as_u16());
        assert_eq!(statuses, [401, 403, 429]);
    }
}
