use std::borrow::Cow;

/// The text of a cell of which no spreadsheet makes a formula.
///
/// An apostrophe is put where the text, or a part of it that a spreadsheet with another separator would
/// take for a cell (behind `;`, a tab or the end of a line), begins with `=`, `+`, `-`, `@`, a tab, a
/// carriage return or `#`, also in full width, also behind blanks and quotes. `#` is none of a
/// spreadsheet's: it keeps a cell from passing for the last line.
pub(crate) fn neutral(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut is_beginning = true;
    let mut begin = 0;
    for (at, it) in text.char_indices() {
        let is_separator = matches!(it, ';' | '\t' | '\n' | '\r');
        if is_beginning && (is_formula(it) || (is_separator && it != ';' && it != '\n')) {
            out.push_str(&text[copied..begin]);
            out.push('\'');
            copied = begin;
            is_beginning = false;
        }
        if is_separator {
            is_beginning = true;
            begin = at + it.len_utf8();
        } else if !is_passed_over(it) {
            is_beginning = false;
        }
    }
    if out.is_empty() {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

fn is_formula(it: char) -> bool {
    matches!(it, '=' | '+' | '-' | '@' | '#' | '＝' | '＋' | '－' | '＠')
}

/// What may stand before a formula: a spreadsheet takes quotes off, and some take off blanks.
fn is_passed_over(it: char) -> bool {
    matches!(it, '"' | '\'') || it.is_whitespace() || it.is_control() || it == '\u{feff}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_as_a_formula_gets_an_apostrophe() {
        for (text, cell) in [
            ("", ""),
            ("a=1", "a=1"),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t'=1"),
            ("\rx", "'\rx"),
            ("\"=1\"", "'\"=1\""),
            ("'=1", "''=1"),
            (" \"' -1", "' \"' -1"),
            ("＝1", "'＝1"),
            ("a;=1", "a;'=1"),
            ("a\n\"+1", "a\n'\"+1"),
            ("#audit_export rows=0", "'#audit_export rows=0"),
            ("{\"a\":-1,\"b\":\"=1\"}", "{\"a\":-1,\"b\":\"=1\"}"),
        ] {
            assert_eq!(neutral(text), cell, "{text:?}");
        }
    }
}
