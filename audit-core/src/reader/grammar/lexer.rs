use std::borrow::Cow;

use super::error::InvalidFilter;

/// Takes a text apart, term by term and value by value.
pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

/// What stands between blanks.
pub(super) enum Token<'t> {
    /// `&`: what stands before it has to hold as well.
    And,
    Term(Term<'t>),
}

/// The head of a term; its values are read one by one.
pub(super) struct Term<'t> {
    pub(super) is_negated: bool,
    /// `None`: free text.
    pub(super) field: Option<&'t str>,
    /// Where the term begins, without its minus.
    pub(super) at: usize,
}

/// One of the values of a term.
pub(super) struct Value<'t> {
    pub(super) text: Cow<'t, str>,
    /// In quotes a word is a text and nothing more.
    pub(super) is_quoted: bool,
    pub(super) at: usize,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// The head of the next term.
    pub(super) fn next_token(&mut self) -> Result<Option<Token<'t>>, InvalidFilter> {
        self.at += self.rest().len() - self.rest().trim_start().len();
        let rest = self.rest();
        if rest.is_empty() {
            return Ok(None);
        }
        let is_end = |rest: &str| rest.chars().next().is_none_or(char::is_whitespace);
        if rest.strip_prefix('&').is_some_and(is_end) {
            self.at += 1;
            return Ok(Some(Token::And));
        }
        let is_negated = rest.starts_with('-');
        if is_negated {
            self.at += 1;
            if is_end(self.rest()) {
                return Err(self.error(self.at - 1, "a minus stands before what it excludes"));
            }
        }
        let at = self.at;
        let word = self
            .rest()
            .find(|it: char| !it.is_ascii_alphanumeric() && it != '_')
            .unwrap_or_else(|| self.rest().len());
        let field = match self.rest()[word..].starts_with(':') && word > 0 {
            true => {
                let field = &self.rest()[..word];
                self.at += word + 1;
                Some(field)
            }
            false => None,
        };
        Ok(Some(Token::Term(Term {
            is_negated,
            field,
            at,
        })))
    }

    /// The next value of the term, and whether a comma promises another.
    pub(super) fn next_value(&mut self) -> Result<(Value<'t>, bool), InvalidFilter> {
        let value = self.value(|it| it.is_whitespace() || it == ',')?;
        let has_more = self.rest().starts_with(',');
        if has_more {
            self.at += 1;
        } else if !self.rest().is_empty() && !self.rest().starts_with(char::is_whitespace) {
            return Err(self.error(self.at, "behind the quote stands a blank or a comma"));
        }
        Ok((value, has_more))
    }

    /// Free text: a word with all its punctuation, or what stands in quotes.
    pub(super) fn free_text(&mut self) -> Result<Value<'t>, InvalidFilter> {
        let value = self.value(char::is_whitespace)?;
        if !self.rest().is_empty() && !self.rest().starts_with(char::is_whitespace) {
            return Err(self.error(self.at, "behind the quote stands a blank"));
        }
        Ok(value)
    }

    pub(super) fn error(&self, at: usize, problem: impl Into<Cow<'static, str>>) -> InvalidFilter {
        InvalidFilter::at(self.text, at, problem)
    }

    fn value(&mut self, ends: impl Fn(char) -> bool) -> Result<Value<'t>, InvalidFilter> {
        let at = self.at;
        if self.rest().starts_with('"') {
            let text = self.quoted()?;
            return Ok(Value {
                text,
                is_quoted: true,
                at,
            });
        }
        let end = self.rest().find(ends).unwrap_or_else(|| self.rest().len());
        let text = &self.rest()[..end];
        self.at += end;
        Ok(Value {
            text: Cow::Borrowed(text),
            is_quoted: false,
            at,
        })
    }

    /// Takes the quotes off, and the backslashes.
    fn quoted(&mut self) -> Result<Cow<'t, str>, InvalidFilter> {
        let begin = self.at;
        self.at += 1;
        let inside = self.rest();
        let mut unescaped: Option<String> = None;
        let mut from = 0;
        let mut chars = inside.char_indices();
        while let Some((at, it)) = chars.next() {
            match it {
                '"' => {
                    self.at += at + 1;
                    let last = &inside[from..at];
                    return Ok(match unescaped {
                        Some(text) => Cow::Owned(text + last),
                        None => Cow::Borrowed(last),
                    });
                }
                '\\' => {
                    unescaped
                        .get_or_insert_default()
                        .push_str(&inside[from..at]);
                    from = match chars.next() {
                        Some((next, _)) => next,
                        None => break,
                    };
                }
                _ => {}
            }
        }
        Err(self.error(begin, "this quote has no end"))
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }
}
