//! What a result code of SQLite means: whose fault it is, and whether to try again.
//!
//! The codes are SQLite's own (`sqlite3.h`), extended ones first. Text is never looked at: a
//! trigger may have made it up, out of what a row holds.

use audit_core::ErrorKind;

/// A code, what it means here, and what to do about it.
type Row = (i32, ErrorKind, &'static str);

/// An extended code decides before the primary one that its lower byte is.
/// [`ErrorKind::Rejected`] is about one event, everything else about the whole batch. What nobody
/// foresaw is waited for, since giving up would lose events.
pub(crate) const MEANINGS: &[Row] = &[
    (
        1,
        ErrorKind::Unavailable,
        "the statement cannot be run: a table may be missing or changed",
    ),
    (2, ErrorKind::Unavailable, "SQLite met an internal error"),
    (
        3,
        ErrorKind::Unavailable,
        "the file may not be used: check its owner and its rights",
    ),
    (4, ErrorKind::Unavailable, "the statement was aborted"),
    (
        BUSY,
        ErrorKind::Unavailable,
        "another process is writing and did not end within `busy_timeout`",
    ),
    (
        261,
        ErrorKind::Unavailable,
        "another process is recovering the file after a crash",
    ),
    (
        517,
        ErrorKind::Unavailable,
        "another process has written in between",
    ),
    (6, ErrorKind::Unavailable, "a table is locked"),
    (7, ErrorKind::Unavailable, "there is no memory left"),
    (
        8,
        ErrorKind::Unavailable,
        "the file is read-only: check its rights, and those of its folder",
    ),
    (
        1032,
        ErrorKind::Unavailable,
        "the file was moved or removed while it was in use",
    ),
    (9, ErrorKind::Timeout, "the statement was interrupted"),
    (
        10,
        ErrorKind::Unavailable,
        "the disk failed while it was read or written",
    ),
    (CORRUPT, ErrorKind::Corrupt, "the file is damaged"),
    (13, ErrorKind::Unavailable, "the disk is full: make room"),
    (
        14,
        ErrorKind::Unavailable,
        "the file cannot be opened: check that its folder is there, and the rights of both",
    ),
    (
        15,
        ErrorKind::Unavailable,
        "the locks of the file do not work: it must lie on a disk of this machine",
    ),
    (
        17,
        ErrorKind::Unavailable,
        "the schema was changed meanwhile",
    ),
    (18, ErrorKind::Rejected, "it is larger than SQLite can hold"),
    (
        19,
        ErrorKind::Rejected,
        "it breaks a constraint of the table",
    ),
    (
        1811,
        ErrorKind::Rejected,
        "a trigger of the file refuses it",
    ),
    (
        3091,
        ErrorKind::Rejected,
        "one of its values is of another type than its column",
    ),
    (
        20,
        ErrorKind::Rejected,
        "one of its values is of another type than its column",
    ),
    (21, ErrorKind::Unavailable, "SQLite was used in a wrong way"),
    (
        22,
        ErrorKind::Full,
        "the file is larger than its file system can hold",
    ),
    (
        23,
        ErrorKind::Unavailable,
        "the statement is not authorized",
    ),
    (
        25,
        ErrorKind::Unavailable,
        "a value has no place in its statement",
    ),
    (NOTADB, ErrorKind::Corrupt, "the file is no SQLite database"),
];

pub(crate) const BUSY: i32 = 5;
const CORRUPT: i32 = 11;
const NOTADB: i32 = 26;

/// What a code means.
pub(crate) fn meaning(code: i32) -> (ErrorKind, &'static str) {
    let find = |code| MEANINGS.iter().find(|(it, _, _)| *it == code);
    find(code).or_else(|| find(primary(code))).map_or(
        (ErrorKind::Unavailable, "SQLite answered with an error"),
        |(_, kind, text)| (*kind, *text),
    )
}

/// Whether the code says that the file itself is damaged, and not merely out of reach.
pub(crate) fn is_damage(code: i32) -> bool {
    matches!(primary(code), CORRUPT | NOTADB)
}

/// Whether somebody else is in the way.
pub(crate) fn is_busy(code: i32) -> bool {
    primary(code) == BUSY
}

/// Whether the rights to the file are missing: SQLite's PERM, READONLY and AUTH.
pub(crate) fn is_about_rights(code: i32) -> bool {
    const MOVED: i32 = 1032;
    matches!(primary(code), 3 | 8 | 23) && code != MOVED
}

const fn primary(code: i32) -> i32 {
    code & 0xff
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each code that `sqlite3.h` has, and what an append makes of it: written down a second time,
    /// so that nobody changes it in passing.
    const EXPECTED: &[(i32, ErrorKind)] = &[
        (1, ErrorKind::Unavailable),
        (257, ErrorKind::Unavailable),
        (513, ErrorKind::Unavailable),
        (769, ErrorKind::Unavailable),
        (2, ErrorKind::Unavailable),
        (3, ErrorKind::Unavailable),
        (4, ErrorKind::Unavailable),
        (516, ErrorKind::Unavailable),
        (5, ErrorKind::Unavailable),
        (261, ErrorKind::Unavailable),
        (517, ErrorKind::Unavailable),
        (773, ErrorKind::Unavailable),
        (6, ErrorKind::Unavailable),
        (262, ErrorKind::Unavailable),
        (518, ErrorKind::Unavailable),
        (7, ErrorKind::Unavailable),
        (8, ErrorKind::Unavailable),
        (264, ErrorKind::Unavailable),
        (520, ErrorKind::Unavailable),
        (776, ErrorKind::Unavailable),
        (1032, ErrorKind::Unavailable),
        (1288, ErrorKind::Unavailable),
        (1544, ErrorKind::Unavailable),
        (9, ErrorKind::Timeout),
        (10, ErrorKind::Unavailable),
        (266, ErrorKind::Unavailable),
        (522, ErrorKind::Unavailable),
        (778, ErrorKind::Unavailable),
        (1034, ErrorKind::Unavailable),
        (3338, ErrorKind::Unavailable),
        (11, ErrorKind::Corrupt),
        (267, ErrorKind::Corrupt),
        (523, ErrorKind::Corrupt),
        (779, ErrorKind::Corrupt),
        (12, ErrorKind::Unavailable),
        (13, ErrorKind::Unavailable),
        (14, ErrorKind::Unavailable),
        (526, ErrorKind::Unavailable),
        (15, ErrorKind::Unavailable),
        (17, ErrorKind::Unavailable),
        (18, ErrorKind::Rejected),
        (19, ErrorKind::Rejected),
        (275, ErrorKind::Rejected),
        (787, ErrorKind::Rejected),
        (1299, ErrorKind::Rejected),
        (1555, ErrorKind::Rejected),
        (1811, ErrorKind::Rejected),
        (2067, ErrorKind::Rejected),
        (3091, ErrorKind::Rejected),
        (20, ErrorKind::Rejected),
        (21, ErrorKind::Unavailable),
        (22, ErrorKind::Full),
        (23, ErrorKind::Unavailable),
        (25, ErrorKind::Unavailable),
        (26, ErrorKind::Corrupt),
        // Of a version that is still to come.
        (99, ErrorKind::Unavailable),
    ];

    #[test]
    fn each_code_means_what_it_is_meant_to() {
        for (code, kind) in EXPECTED {
            assert_eq!(meaning(*code).0, *kind, "{code}");
        }
        for (code, _, _) in MEANINGS {
            let is_held = EXPECTED.iter().any(|(it, _)| it == code);
            assert!(is_held, "{code} has no row in the test");
        }
    }

    #[test]
    fn only_a_broken_file_is_damaged() {
        for (code, kind) in EXPECTED {
            assert_eq!(is_damage(*code), *kind == ErrorKind::Corrupt, "{code}");
        }
        assert!(is_busy(261) && is_busy(5) && !is_busy(6));
    }
}
