//! The identifiers of W3C Trace Context, <https://www.w3.org/TR/trace-context/>.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::error::{FieldProblem, InvalidField};

macro_rules! trace_identifier {
    ($(#[$doc:meta])* $name:ident, $number:ty, $field:literal, $digits:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name($number);

        impl $name {
            /// Takes the number; zero is the standard's "invalid" and gives nothing.
            #[must_use]
            pub const fn new(number: $number) -> Option<Self> {
                if number == 0 { None } else { Some(Self(number)) }
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> $number {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidField;

            /// Reads the standard's form: lower-case hex of the full width, not all zeros.
            fn from_str(text: &str) -> Result<Self, InvalidField> {
                let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                Some(text)
                    .filter(|text| text.len() == $digits && text.bytes().all(is_hex))
                    .and_then(|text| <$number>::from_str_radix(text, 16).ok())
                    .and_then(Self::new)
                    .ok_or(InvalidField::new($field, FieldProblem::Malformed { expected: $expected }))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:0width$x}", self.0, width = $digits)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

trace_identifier! {
    /// The trace that the call belongs to.
    TraceId, u128, "trace_id", 32, "a trace id: 32 digits of lower-case hex, not all zeros"
}
trace_identifier! {
    /// The span of the call within its trace.
    SpanId, u64, "span_id", 16, "a span id: 16 digits of lower-case hex, not all zeros"
}

/// The place of a call in a trace, as its caller named it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TraceContext {
    /// The trace that the call belongs to.
    pub trace_id: TraceId,
    /// The span of the caller, under which the call stands.
    pub span_id: SpanId,
}

impl FromStr for TraceContext {
    type Err = InvalidField;

    /// Reads the value of a `traceparent` header, in any version of the standard: a later one may
    /// only add behind the flags (section 3.2.4).
    fn from_str(text: &str) -> Result<Self, InvalidField> {
        let malformed = || {
            InvalidField::new(
                "traceparent",
                FieldProblem::Malformed {
                    expected: "a traceparent: version, trace id, span id and flags, in lower-case hex",
                },
            )
        };
        let mut parts = text.trim_matches([' ', '\t']).splitn(5, '-');
        let mut next = || parts.next().ok_or_else(malformed);
        let (version, trace_id, span_id, flags) = (next()?, next()?, next()?, next()?);
        let has_more = parts.next().is_some();
        let is_byte = |text: &str| {
            text.len() == 2
                && text
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        if !is_byte(version) || !is_byte(flags) || version == "ff" || (version == "00" && has_more)
        {
            return Err(malformed());
        }
        Ok(Self {
            trace_id: trace_id.parse()?,
            span_id: span_id.parse()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_standards_form_is_read() {
        let text = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(text.parse::<TraceId>().unwrap().to_string(), text);
        for wrong in [
            "",
            "0",
            "+f",
            &text[1..],
            &text.to_uppercase(),
            &"0".repeat(32),
        ] {
            assert_eq!(
                wrong.parse::<TraceId>().unwrap_err().field(),
                "trace_id",
                "{wrong}"
            );
        }
        assert_eq!(SpanId::new(0xf067).unwrap().to_string(), "000000000000f067");
    }

    #[test]
    fn a_traceparent_is_read_in_this_version_and_later_ones() {
        let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        for right in [
            format!("00-{trace}-{span}-01"),
            format!(" 00-{trace}-{span}-00\t"),
            format!("cc-{trace}-{span}-01-what-comes-later"),
        ] {
            let context: TraceContext = right.parse().unwrap();
            assert_eq!(context.trace_id.to_string(), trace);
            assert_eq!(context.span_id.to_string(), span);
        }
        for wrong in [
            String::new(),
            format!("00-{trace}-{span}"),
            format!("00-{trace}-{span}-01-more"),
            format!("ff-{trace}-{span}-01"),
            format!("0-{trace}-{span}-01"),
            format!("00-{trace}-{span}-0G"),
            format!("00-{}-{span}-01", "0".repeat(32)),
            format!("00-{trace}-{}-01", "0".repeat(16)),
            format!("00-{}-{span}-01", trace.to_uppercase()),
        ] {
            assert!(wrong.parse::<TraceContext>().is_err(), "{wrong}");
        }
    }
}
