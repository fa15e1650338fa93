//! What a SQLSTATE means for an append: whose fault it is, and whether to try again.
//!
//! The codes are those of PostgreSQL's appendix A. Text is never looked at: it is translated, and
//! changes between versions.

use audit_core::ErrorKind;

/// A code or class, what it means here, and what to do about it.
type Row = (&'static str, ErrorKind, &'static str);

/// The longest prefix that fits decides. [`ErrorKind::Rejected`] is about one event, everything
/// else about the whole batch. What nobody foresaw is waited for, since giving up would lose events.
const MEANINGS: &[Row] = &[
    (
        "",
        ErrorKind::Unavailable,
        "the server answered with an error",
    ),
    ("08", ErrorKind::Unavailable, "the connection failed"),
    (
        "08P01",
        ErrorKind::Unavailable,
        "the server or its pooler does not speak the protocol: behind a pooler in transaction mode set `pooler=transaction`",
    ),
    (
        "22",
        ErrorKind::Rejected,
        "the server cannot hold one of its values",
    ),
    (
        "23",
        ErrorKind::Rejected,
        "it breaks a constraint of the table",
    ),
    (
        "25006",
        ErrorKind::Unavailable,
        "the server is read-only: it is a standby, or `default_transaction_read_only` is on",
    ),
    (
        "26000",
        ErrorKind::Unavailable,
        "a prepared statement is gone: behind a pooler in transaction mode set `pooler=transaction`",
    ),
    (
        "28",
        ErrorKind::Unavailable,
        "the server refuses the login: check user, password and `pg_hba.conf`",
    ),
    (
        "3D000",
        ErrorKind::Unavailable,
        "the database does not exist: create it, then run the migrations",
    ),
    (
        "3F000",
        ErrorKind::Unavailable,
        "the schema does not exist: create it, then run the migrations",
    ),
    (
        "40",
        ErrorKind::Unavailable,
        "the transaction was rolled back",
    ),
    (
        "40P01",
        ErrorKind::Unavailable,
        "the transaction was the victim of a deadlock",
    ),
    (
        "42501",
        ErrorKind::Unavailable,
        "the role lacks a privilege: run the script of roles",
    ),
    (
        "42703",
        ErrorKind::Unavailable,
        "a column is missing: run the migrations",
    ),
    (
        "42883",
        ErrorKind::Unavailable,
        "a function is missing: run the migrations",
    ),
    (
        "42P01",
        ErrorKind::Unavailable,
        "a table is missing: run the migrations",
    ),
    (
        "42P05",
        ErrorKind::Unavailable,
        "a prepared statement is there twice: behind a pooler in transaction mode set `pooler=transaction`",
    ),
    ("44", ErrorKind::Rejected, "it breaks the check of a view"),
    (
        "53",
        ErrorKind::Unavailable,
        "the server is short of resources",
    ),
    (
        "53100",
        ErrorKind::Unavailable,
        "the server's disk is full: make room",
    ),
    (
        "53300",
        ErrorKind::Unavailable,
        "the server has no connection left: raise `max_connections` or lower the pools",
    ),
    (
        "54",
        ErrorKind::Rejected,
        "it exceeds a limit of the server",
    ),
    (
        "54000",
        ErrorKind::Rejected,
        "it exceeds a limit of the server, such as the size of an index entry",
    ),
    ("55", ErrorKind::Unavailable, "an object is in use"),
    (
        "55P03",
        ErrorKind::Unavailable,
        "a lock was not to be had in time",
    ),
    ("57", ErrorKind::Unavailable, "an operator intervened"),
    (
        "57014",
        ErrorKind::Timeout,
        "the statement was canceled: it ran into `statement_timeout`, or somebody ended it",
    ),
    (
        "57P01",
        ErrorKind::Unavailable,
        "the server is shutting down",
    ),
    (
        "57P02",
        ErrorKind::Unavailable,
        "the server restarts after a crash",
    ),
    (
        "57P03",
        ErrorKind::Unavailable,
        "the server is starting up or shutting down",
    ),
    (
        "57P05",
        ErrorKind::Unavailable,
        "the server ended a session that was idle for too long",
    ),
    (
        "58",
        ErrorKind::Unavailable,
        "the server met an error of its system, such as a disk that fails",
    ),
    (
        "P0",
        ErrorKind::Rejected,
        "a trigger or function of the database refuses it",
    ),
    (
        "XX",
        ErrorKind::Unavailable,
        "the server met an internal error: see its log",
    ),
];

/// What a code means.
pub(crate) fn meaning(code: &str) -> (ErrorKind, &'static str) {
    deciding_row(code).map_or(
        (ErrorKind::Unavailable, "the server answered with an error"),
        |(_, kind, text)| (*kind, text),
    )
}

fn deciding_row(code: &str) -> Option<&'static Row> {
    let fits = MEANINGS
        .iter()
        .filter(|(prefix, _, _)| code.starts_with(prefix));
    fits.max_by_key(|(prefix, _, _)| prefix.len())
}

/// Whether a server's own message is of a class in which it quotes no value of a row. In all
/// others it may, also in one that a trigger made up.
pub(crate) fn message_quotes_no_value(code: &str) -> bool {
    [
        "08", "25", "26", "28", "3D", "3F", "40", "53", "55", "57", "58",
    ]
    .iter()
    .any(|class| code.starts_with(class))
}

/// The same that a real server is asked for.
/// Whether somebody is refused: a login, or a right to a table.
pub(crate) fn is_about_rights(sqlstate: &str) -> bool {
    sqlstate.starts_with("28") || sqlstate == "42501"
}

#[cfg(test)]
#[path = "../tests/it/codes.rs"]
mod codes;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_code_means_what_is_expected() {
        for (code, kind, text) in codes::EXPECTED {
            assert_eq!(meaning(code), (*kind, *text), "{code}");
        }
    }

    #[test]
    fn each_row_decides_a_code_that_is_tested() {
        let deciding: BTreeSet<&str> = codes::EXPECTED
            .iter()
            .filter_map(|(code, _, _)| deciding_row(code))
            .map(|(prefix, _, _)| *prefix)
            .collect();
        let rows: BTreeSet<&str> = MEANINGS.iter().map(|(prefix, _, _)| *prefix).collect();
        assert_eq!(rows.len(), MEANINGS.len(), "a prefix stands there twice");
        let untested: Vec<_> = rows.difference(&deciding).collect();
        assert!(untested.is_empty(), "{untested:?}");
    }
}
