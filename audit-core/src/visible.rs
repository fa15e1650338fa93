use std::borrow::Cow;
use std::fmt::Write as _;

/// Text as it may be shown: what would move the cursor of a terminal, change colors, reorder or hide
/// text is written as its code. Stored text comes from callers, who must not be able to draw over a
/// record.
///
/// ```
/// assert_eq!(audit_core::visible("a\u{1b}[31mb"), "a\\u{1b}[31mb");
/// ```
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for it in text.chars() {
        if is_unsafe(it) {
            out.extend(it.escape_unicode());
        } else {
            out.push(it);
        }
    }
    Cow::Owned(out)
}

/// The same for JSON, which stays the same JSON: in it such characters stand in texts alone.
#[must_use]
pub fn visible_json(json: &str) -> Cow<'_, str> {
    if !json.chars().any(is_unsafe) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len());
    for it in json.chars() {
        if is_unsafe(it) {
            let mut units = [0; 2];
            for unit in it.encode_utf16(&mut units) {
                // Writing to a text does not fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(it);
        }
    }
    Cow::Owned(out)
}

fn is_unsafe(it: char) -> bool {
    it.is_control()
        || matches!(
            it,
            // Marks, embeddings, overrides and isolates of direction; Unicode, UAX #9.
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // Separators that some terminals take for the end of a line, and what shows nothing.
            | '\u{2028}' | '\u{2029}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}'
            // Tags, which show nothing either.
            | '\u{e0000}'..='\u{e007f}'
            // What will never be a character.
            | '\u{fdd0}'..='\u{fdef}'
        )
        || u32::from(it) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_are_shown_and_not_obeyed() {
        assert_eq!(visible("a\u{1b}[31mb\r\n"), "a\\u{1b}[31mb\\u{d}\\u{a}");
        assert_eq!(visible("\u{9b}1mx\u{202e}y"), "\\u{9b}1mx\\u{202e}y");
        assert_eq!(visible("a\u{fdd0}\u{1fffe}b"), "a\\u{fdd0}\\u{1fffe}b");
        assert_eq!(visible("Zürich ✓ 東京"), "Zürich ✓ 東京");
    }

    #[test]
    fn json_is_the_same_json_and_obeyed_by_nobody() {
        let value =
            serde_json::json!({"a": "\u{9b}1m\u{202e}x\u{e0041}\u{7f}", "b\u{1b}": "Zürich"});
        let text = value.to_string();
        let shown = visible_json(&text);
        assert!(!shown.chars().any(is_unsafe), "{shown}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
            value
        );
        assert!(shown.contains("Zürich"));
    }

    proptest! {
        #[test]
        fn nothing_that_a_terminal_obeys_is_left(text in ".*") {
            prop_assert!(!visible(&text).chars().any(char::is_control));
        }
    }
}
