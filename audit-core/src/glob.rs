use std::fmt;

/// A pattern over a whole text: `*` stands for any run of characters, also an empty one; every
/// other character stands for itself, case and all. A backslash takes the meaning off the
/// character behind it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Glob {
    /// What stands between the stars; a pattern without a star has one part.
    parts: Box<[Box<str>]>,
}

impl Glob {
    /// Reads a pattern.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        let mut parts = Vec::new();
        let mut part = String::new();
        let mut chars = pattern.chars();
        while let Some(char) = chars.next() {
            match char {
                '*' => parts.push(std::mem::take(&mut part).into_boxed_str()),
                // A backslash at the very end stands for itself.
                '\\' => part.push(chars.next().unwrap_or('\\')),
                _ => part.push(char),
            }
        }
        parts.push(part.into_boxed_str());
        Self {
            parts: parts.into_boxed_slice(),
        }
    }

    /// The pattern that only this text matches.
    #[must_use]
    pub fn exact(text: &str) -> Self {
        Self {
            parts: Box::new([text.into()]),
        }
    }

    /// The literal parts between the stars, for stores that write patterns of their own.
    pub fn parts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.parts.iter().map(AsRef::as_ref)
    }

    /// The text, if the pattern has no star.
    #[must_use]
    pub fn as_exact(&self) -> Option<&str> {
        match &*self.parts {
            [text] => Some(text),
            _ => None,
        }
    }

    /// Whether the whole text matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let [first, middle @ .., last] = &*self.parts else {
            return self.as_exact() == Some(text);
        };
        let Some(rest) = text.strip_prefix(&**first) else {
            return false;
        };
        let Some(mut rest) = rest.strip_suffix(&**last) else {
            return false;
        };
        // The earliest place of each part leaves the most for those behind it.
        for part in middle {
            let Some(at) = rest.find(&**part) else {
                return false;
            };
            rest = &rest[at + part.len()..];
        }
        true
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts.iter().enumerate() {
            if index > 0 {
                f.write_str("*")?;
            }
            f.write_str(&part.replace('\\', "\\\\").replace('*', "\\*"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_star_stands_for_any_run() {
        let cases = [
            ("delete_*", "delete_customer", true),
            ("delete_*", "delete_", true),
            ("delete_*", "undelete_x", false),
            ("*", "", true),
            ("a*a", "a", false),
            ("a*b*c", "abbc", true),
            ("a*bc*c", "abc", false),
            ("", "", true),
            ("", "x", false),
            (r"\*", "*", true),
            (r"\*", "x", false),
            ("Ä*", "ä", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(
                Glob::new(pattern).matches(text),
                expected,
                "{pattern} on {text}"
            );
        }
    }

    /// The definition, slow and plain.
    fn matches(pattern: &[char], text: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            ['*', rest @ ..] => (0..=text.len()).any(|skip| matches(rest, &text[skip..])),
            [char, rest @ ..] => text.first() == Some(char) && matches(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn it_matches_what_the_definition_matches(pattern in "[ab*]{0,6}", text in "[ab]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(Glob::new(&pattern).matches(&text), matches(&chars(&pattern), &chars(&text)));
        }

        #[test]
        fn it_is_read_as_it_was_written(pattern in r"[a*\\ü]{0,8}") {
            let glob = Glob::new(&pattern);
            prop_assert_eq!(Glob::new(&glob.to_string()), glob);
        }

        #[test]
        fn an_exact_pattern_matches_its_text_alone(text in ".{0,8}", other in ".{0,8}") {
            let glob = Glob::exact(&text);
            prop_assert!(glob.matches(&text));
            prop_assert_eq!(glob.matches(&other), text == other);
        }
    }
}
