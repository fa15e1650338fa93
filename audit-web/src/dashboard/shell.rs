use std::fmt::Write as _;

use audit_core::visible;
use maud::{Markup, html};

/// A command of the program that asks the same, ready to be copied.
pub(super) fn command(words: &[&str]) -> Markup {
    let words: Vec<_> = words.iter().map(|text| word(text)).collect();
    html! {
        p.command {
            code { (words.join(" ")) }
            button type="button" data-copy hidden { "Copy" }
        }
    }
}

/// A text as one word of a shell (bash, zsh, ksh): nothing in it is obeyed, and nothing is hidden.
fn word(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+=,".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    if visible(text) == text {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let mut out = String::from("$'");
    for it in text.chars() {
        match it {
            '\'' | '\\' => out.extend(['\\', it]),
            _ if visible(it.encode_utf8(&mut [0; 4])) == it.to_string() => out.push(it),
            // Writing to a string cannot fail.
            _ => {
                let _ = write!(out, "\\U{:08x}", u32::from(it));
            }
        }
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_one_word_to_a_shell() {
        assert_eq!(word("audit"), "audit");
        assert_eq!(word(""), "''");
        assert_eq!(word("tool:\"a b\" $(x)"), "'tool:\"a b\" $(x)'");
        assert_eq!(word("it's"), r"'it'\''s'");
        assert_eq!(
            word("it's \u{202e}\n\\"),
            r"$'it\'s \U0000202e\U0000000a\\'"
        );
    }
}
