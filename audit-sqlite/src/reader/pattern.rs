//! A glob in SQL, exactly.
//!
//! Neither LIKE nor GLOB will do: the one takes letters of either case for the same, the other
//! takes U+FFFD, U+FFFE and U+FFFF for the same, and both have a longest pattern. So a glob is
//! written as what it means: how the text begins, as a range that an index knows; how it ends; and
//! what comes in between, one part behind the other. Bytes are compared.

use audit_core::Glob;

use super::sql::Sql;

/// Writes whether the text of a column matches. Of a text that is not there it is false or null.
pub(super) fn push(sql: &mut Sql, column: &'static str, glob: &Glob) {
    if let Some(text) = glob.as_exact() {
        sql.text(column).text(" = ").bind(text.to_owned());
        return;
    }
    let parts: Vec<&str> = glob.parts().collect();
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
        sql.text("false");
        return;
    };
    push_prefix(sql, column, first);
    push_suffix(sql, column, first, last);
    let middle = parts.get(1..parts.len() - 1).unwrap_or_default();
    push_middle(sql, column, (first, last), middle);
}

/// Also says that there is a text at all.
fn push_prefix(sql: &mut Sql, column: &'static str, prefix: &str) {
    sql.text(column).text(" >= ").bind(prefix.to_owned());
    if let Some(end) = behind_prefix(prefix) {
        sql.text(" AND ").text(column).text(" < ").bind(end);
    }
}

fn push_suffix(sql: &mut Sql, column: &'static str, prefix: &str, suffix: &str) {
    if suffix.is_empty() {
        return;
    }
    // Both must have room.
    sql.text(" AND octet_length(")
        .text(column)
        .text(") >= ")
        .bind(length(prefix) + length(suffix))
        .text(" AND substr(CAST(")
        .text(column)
        .text(" AS BLOB), ")
        .bind(-length(suffix))
        .text(") = ")
        .bind(suffix.as_bytes().to_vec());
}

/// Looks for each part behind the one before, the earliest place first: that leaves the most for
/// those behind it. Innermost stands what lies between beginning and end; from there on, each
/// select takes a part off.
///
/// The `max` of one row is that row. Without it SQLite would merge the selects, and write each of
/// them three times into the next.
fn push_middle(
    sql: &mut Sql,
    column: &'static str,
    (prefix, suffix): (&str, &str),
    parts: &[&str],
) {
    let parts: Vec<&str> = parts.iter().copied().filter(|it| !it.is_empty()).collect();
    if parts.is_empty() {
        return;
    }
    sql.text(" AND (");
    for part in parts.iter().rev() {
        sql.text("SELECT max(CASE WHEN instr(rest, ")
            .bind(part.as_bytes().to_vec())
            .text(") > 0 THEN substr(rest, instr(rest, ")
            .bind(part.as_bytes().to_vec())
            .text(") + ")
            .bind(length(part))
            .text(") END) AS rest FROM (");
    }
    sql.text("SELECT substr(CAST(")
        .text(column)
        .text(" AS BLOB), ")
        .bind(length(prefix) + 1)
        .text(", octet_length(")
        .text(column)
        .text(") - ")
        .bind(length(prefix) + length(suffix))
        .text(") AS rest");
    for _ in &parts {
        sql.text(")");
    }
    sql.text(") IS NOT NULL");
}

/// The first text that lies behind all with this beginning; nothing, if none does.
fn behind_prefix(prefix: &str) -> Option<String> {
    let mut head = prefix.to_owned();
    while let Some(char) = head.pop() {
        // Bytes of UTF-8 are in the order of characters; half of a pair is none.
        let next = match char {
            '\u{d7ff}' => Some('\u{e000}'),
            _ => char::from_u32(u32::from(char) + 1),
        };
        if let Some(next) = next {
            head.push(next);
            return Some(head);
        }
    }
    None
}

fn length(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_behind_a_prefix_is_the_first_that_has_it_not() {
        let cases = [
            ("", None),
            ("a", Some("b")),
            ("az", Some("a{")),
            ("a\u{10ffff}", Some("b")),
            ("\u{10ffff}\u{10ffff}", None),
            ("\u{d7ff}", Some("\u{e000}")),
            ("\u{7f}", Some("\u{80}")),
        ];
        for (prefix, expected) in cases {
            assert_eq!(behind_prefix(prefix).as_deref(), expected, "{prefix:?}");
        }
    }
}
