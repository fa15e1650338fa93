//! Looking into JSON without building it: a member of an object is found by walking over the
//! others, and stays the text that it is.
//!
//! Of a key that occurs twice the last one counts, as it does for the parsers behind the gateway.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Calls `each` with every member of an object, in order; `None` if this is no object.
pub(crate) fn members<'a>(json: &'a str, each: impl FnMut(Cow<'a, str>, &'a str)) -> Option<()> {
    struct Members<F>(F);

    impl<'a, F: FnMut(Cow<'a, str>, &'a str)> Visitor<'a> for Members<F> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
            while let Some(Lenient(key)) = map.next_key()? {
                let value: &'a RawValue = map.next_value()?;
                (self.0)(key, value.get());
            }
            Ok(())
        }
    }

    let mut deserializer = serde_json::Deserializer::from_str(json);
    deserializer.deserialize_map(Members(each)).ok()?;
    deserializer.end().ok()
}

/// The members of these names, of an object; all absent if this is no object.
pub(crate) fn pick<'a, const N: usize>(json: &'a str, names: [&str; N]) -> [Option<&'a str>; N] {
    let mut found = [None; N];
    let whole = members(json, |key, value| {
        if let Some(place) = names.iter().position(|name| *name == key) {
            found[place] = Some(value);
        }
    });
    whole.map_or([None; N], |()| found)
}

/// The text of a JSON string; `None` if this is another value. A surrogate without its other half
/// becomes U+FFFD.
pub(crate) fn text(json: &str) -> Option<Cow<'_, str>> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let Lenient(text) = Lenient::deserialize(&mut deserializer).ok()?;
    Some(text)
}

/// Whether this is one value, and nothing but white space around it.
pub(crate) fn is_json(text: &str) -> bool {
    serde_json::from_str::<de::IgnoredAny>(text).is_ok()
}

/// A string in which half a surrogate pair may stand: parsers behind the gateway take it.
struct Lenient<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Lenient<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl<'de> Visitor<'de> for Bytes {
            type Value = Lenient<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_bytes<E: de::Error>(
                self,
                bytes: &'de [u8],
            ) -> Result<Lenient<'de>, E> {
                Ok(Lenient(String::from_utf8_lossy(bytes)))
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Lenient<'de>, E> {
                let text = String::from_utf8_lossy(bytes).into_owned();
                Ok(Lenient(Cow::Owned(text)))
            }

            // An array of numbers passes for bytes elsewhere; here it is no string.
            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Lenient<'de>, A::Error> {
                Err(de::Error::custom("an array is no string"))
            }
        }

        deserializer.deserialize_bytes(Bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_two_equal_keys_counts() {
        assert_eq!(
            pick(r#"{"a":1,"b":2,"a":3}"#, ["a", "c"]),
            [Some("3"), None]
        );
        assert_eq!(pick(r#"{"\u0061": [1, 2] }"#, ["a"]), [Some("[1, 2]")]);
    }

    #[test]
    fn what_is_no_object_has_no_members() {
        for json in ["[]", "1", "\"a\"", "", "{", r#"{"a":1}x"#, r#"{"a":1"#] {
            assert_eq!(pick(json, ["a"]), [None], "{json}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced() {
        let text = text(r#""a\ud800b""#).unwrap();
        assert!(text.starts_with('a') && text.ends_with('b') && text.contains('\u{fffd}'));
        assert_eq!(pick(r#"{"\ud800":1,"a":2}"#, ["a"]), [Some("2")]);
    }

    #[test]
    fn only_a_string_is_a_text() {
        assert_eq!(text(r#""a\n""#).as_deref(), Some("a\n"));
        for json in ["1", "null", "[97]", "{}", "\"a"] {
            assert_eq!(text(json), None, "{json}");
        }
    }

    #[test]
    fn depth_is_no_problem() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(pick(&deep, ["a"])[0].is_some());
    }
}
