//! Codes of every kind, and what an append makes of them: one event refused, or the batch tried
//! again. The unit tests of the table read this file too.

use audit_core::ErrorKind;

/// A code, the kind of error, and the text.
pub(crate) const EXPECTED: &[(&str, ErrorKind, &str)] = &[
    (
        "01000",
        ErrorKind::Unavailable,
        "the server answered with an error",
    ),
    ("08000", ErrorKind::Unavailable, "the connection failed"),
    ("08006", ErrorKind::Unavailable, "the connection failed"),
    (
        "08P01",
        ErrorKind::Unavailable,
        "the server or its pooler does not speak the protocol: behind a pooler in transaction mode set `pooler=transaction`",
    ),
    (
        "21000",
        ErrorKind::Unavailable,
        "the server answered with an error",
    ),
    (
        "22001",
        ErrorKind::Rejected,
        "the server cannot hold one of its values",
    ),
    (
        "22003",
        ErrorKind::Rejected,
        "the server cannot hold one of its values",
    ),
    (
        "22P02",
        ErrorKind::Rejected,
        "the server cannot hold one of its values",
    ),
    (
        "22P05",
        ErrorKind::Rejected,
        "the server cannot hold one of its values",
    ),
    (
        "23502",
        ErrorKind::Rejected,
        "it breaks a constraint of the table",
    ),
    (
        "23503",
        ErrorKind::Rejected,
        "it breaks a constraint of the table",
    ),
    (
        "23505",
        ErrorKind::Rejected,
        "it breaks a constraint of the table",
    ),
    // By a trigger, and not for want of a partition.
    (
        "23514",
        ErrorKind::Rejected,
        "it breaks a constraint of the table",
    ),
    (
        "23P01",
        ErrorKind::Rejected,
        "it breaks a constraint of the table",
    ),
    (
        "25006",
        ErrorKind::Unavailable,
        "the server is read-only: it is a standby, or `default_transaction_read_only` is on",
    ),
    (
        "25P02",
        ErrorKind::Unavailable,
        "the server answered with an error",
    ),
    (
        "26000",
        ErrorKind::Unavailable,
        "a prepared statement is gone: behind a pooler in transaction mode set `pooler=transaction`",
    ),
    (
        "28P01",
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
        "40001",
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
        "42804",
        ErrorKind::Unavailable,
        "the server answered with an error",
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
    (
        "44000",
        ErrorKind::Rejected,
        "it breaks the check of a view",
    ),
    (
        "53100",
        ErrorKind::Unavailable,
        "the server's disk is full: make room",
    ),
    (
        "53200",
        ErrorKind::Unavailable,
        "the server is short of resources",
    ),
    (
        "53300",
        ErrorKind::Unavailable,
        "the server has no connection left: raise `max_connections` or lower the pools",
    ),
    (
        "53400",
        ErrorKind::Unavailable,
        "the server is short of resources",
    ),
    (
        "54000",
        ErrorKind::Rejected,
        "it exceeds a limit of the server, such as the size of an index entry",
    ),
    (
        "54001",
        ErrorKind::Rejected,
        "it exceeds a limit of the server",
    ),
    ("55006", ErrorKind::Unavailable, "an object is in use"),
    (
        "55P03",
        ErrorKind::Unavailable,
        "a lock was not to be had in time",
    ),
    ("57000", ErrorKind::Unavailable, "an operator intervened"),
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
        "58000",
        ErrorKind::Unavailable,
        "the server met an error of its system, such as a disk that fails",
    ),
    (
        "58030",
        ErrorKind::Unavailable,
        "the server met an error of its system, such as a disk that fails",
    ),
    (
        "P0001",
        ErrorKind::Rejected,
        "a trigger or function of the database refuses it",
    ),
    (
        "P0002",
        ErrorKind::Rejected,
        "a trigger or function of the database refuses it",
    ),
    (
        "XX000",
        ErrorKind::Unavailable,
        "the server met an internal error: see its log",
    ),
    (
        "XX001",
        ErrorKind::Unavailable,
        "the server met an internal error: see its log",
    ),
    // Of somebody's own.
    (
        "AU001",
        ErrorKind::Unavailable,
        "the server answered with an error",
    ),
];
