use std::borrow::Cow;

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

    proptest! {
        #[test]
        fn nothing_that_a_terminal_obeys_is_left(text in ".*") {
            prop_assert!(!visible(&text).chars().any(char::is_control));
        }
    }
}
