//! A payload as a tree that can be folded, its marks marked. Texts and numbers stand as they are
//! spelled in the record: what is shown is what was kept, to the letter.

use std::borrow::Cow;
use std::fmt;

use audit_core::visible;
use maud::{Markup, html};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// How the marks begin that stand where something was taken away; a caller's text never does.
const MARKS: [(&str, &str); 5] = [
    ("[REDACTED:", "redacted"),
    ("[TRUNCATED", "cut"),
    ("[UNPARSEABLE", "cut"),
    ("[DUPLICATE:", "cut"),
    ("[WITHHELD]", "redacted"),
];

/// The tree of a JSON text; text that is no JSON, as it is.
pub(super) fn drawn(json: &str) -> Markup {
    match serde_json::from_str::<&RawValue>(json) {
        Ok(value) => html! { div.tree { (node(None, value.get())) } },
        Err(_) => html! { pre.tree { (marked(json)) } },
    }
}

/// A value, behind its key where it has one.
fn node(key: Option<&str>, value: &str) -> Markup {
    let label = html! { @if let Some(key) = key { span.key { (marked(key)) } ": " } };
    let (opening, members, closing) = match value.as_bytes().first() {
        Some(b'{') => ("{", members(value), "}"),
        Some(b'[') => ("[", elements(value), "]"),
        _ => ("", None, ""),
    };
    match members {
        Some(members) if !members.is_empty() => html! {
            details open {
                summary { (label) (opening) small { " " (members.len()) " " } (closing) }
                ul {
                    @for (key, value) in members {
                        li { (node(key.as_deref(), value.get())) }
                    }
                }
            }
        },
        _ => html! { (label) span class=(kind(value)) { (marked(value)) } },
    }
}

type Members<'a> = Vec<(Option<Cow<'a, str>>, &'a RawValue)>;

fn members(object: &str) -> Option<Members<'_>> {
    let Object(members) = serde_json::from_str(object).ok()?;
    let quoted = |key: String| serde_json::to_string(&key).unwrap_or(key);
    let members = members.into_iter();
    Some(
        members
            .map(|(key, value)| (Some(Cow::Owned(quoted(key))), value))
            .collect(),
    )
}

fn elements(array: &str) -> Option<Members<'_>> {
    let elements: Vec<&RawValue> = serde_json::from_str(array).ok()?;
    Some(elements.into_iter().map(|value| (None, value)).collect())
}

/// The members of an object in their order, a key that comes twice among them.
struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reading;
        impl<'de> Visitor<'de> for Reading {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Reading).map(Self)
    }
}

/// What a leaf is, for the style sheet.
fn kind(value: &str) -> &'static str {
    match value.as_bytes().first() {
        Some(b'"') => "string",
        Some(b'-' | b'0'..=b'9') => "number",
        _ => "word",
    }
}

/// A text whose marks stand out.
fn marked(text: &str) -> Markup {
    let mut rest = text;
    let mut parts: Vec<(&str, Option<&str>)> = Vec::new();
    while let Some((at, class)) = next_mark(rest) {
        let end = rest[at..].find(']').map_or(rest.len(), |end| at + end + 1);
        parts.push((&rest[..at], None));
        parts.push((&rest[at..end], Some(class)));
        rest = &rest[end..];
    }
    parts.push((rest, None));
    html! {
        @for (part, class) in parts {
            @match class {
                Some(class) => mark class=(class) { (visible(part)) },
                None => (visible(part)),
            }
        }
    }
}

fn next_mark(text: &str) -> Option<(usize, &'static str)> {
    let found = MARKS
        .iter()
        .filter_map(|(opening, class)| Some((text.find(opening)?, *class)));
    found.min_by_key(|(at, _)| *at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(json: &str) -> String {
        let html = drawn(json).into_string();
        let mut text = String::new();
        let mut is_tag = false;
        for it in html.chars() {
            match it {
                '<' => is_tag = true,
                '>' => is_tag = false,
                _ if !is_tag => text.push(it),
                _ => {}
            }
        }
        text.replace("&quot;", "\"")
            .replace("&lt;", "<")
            .replace("&amp;", "&")
    }

    #[test]
    fn what_was_kept_is_shown_to_the_letter() {
        let json = r#"{"b":1e400,"a":[123456789012345678901234567890,-0.10],"a":"x\n\u0041"}"#;
        let text = text_of(json);
        for part in [
            "1e400",
            "123456789012345678901234567890",
            "-0.10",
            r#""x\n\u0041""#,
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert_eq!(text.matches(r#""a": "#).count(), 2, "{text}");
        assert!(text.find("\"b\"") < text.find("\"a\""), "{text}");
    }

    #[test]
    fn marks_stand_out_and_markup_does_not() {
        let json = r#"{"password":"[REDACTED:password]","text":"a[TRUNCATED:99+] <script>"}"#;
        let html = drawn(json).into_string();
        assert!(
            html.contains(r#"<mark class="redacted">[REDACTED:password]</mark>"#),
            "{html}"
        );
        assert!(
            html.contains(r#"<mark class="cut">[TRUNCATED:99+]</mark>"#),
            "{html}"
        );
        assert!(!html.contains("<script>"), "{html}");
    }

    #[test]
    fn text_that_is_no_json_is_shown_as_it_is() {
        assert_eq!(text_of("{\"a\":"), "{\"a\":");
        assert_eq!(text_of("{}"), "{}");
        assert_eq!(text_of("\"\u{202e}\""), "\"\\u{202e}\"");
    }
}
