//! What a user does wrong, and is told.

use crate::store::{Store, audit, ran};

#[test]
fn a_filter_that_is_none_is_pointed_at() {
    let ran = Store::none().audit(&["events", "tol:x"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("did you mean tool:?"), "{ran:?}");
    assert!(ran.err.contains("tol:x\n  ^"), "{ran:?}");
}

#[test]
fn a_command_line_that_is_none_ends_with_two() {
    for arguments in [
        &["events", "--since", "tomorrow"][..],
        &["events", "--store", "mysql:x"],
        &["events", "--store", "memory:"],
        &[
            "events",
            "-o",
            "table",
            "-n",
            "5000",
            "--store",
            "sqlite:none.db",
        ],
        &["show", "123"],
        &["stats", "nothing"],
        &["proxy"],
        &["proxy", "--listen", "127.0.0.1:0"],
        &["proxy", "--upstream", "http://127.0.0.1:1"],
        &["nothing"],
        &[],
    ] {
        let ran = ran(audit(arguments));
        assert_eq!(ran.code, 2, "{arguments:?}: {ran:?}");
        assert_eq!(ran.out, "", "{arguments:?}");
        assert!(!ran.err.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_file_that_is_no_store_is_named() {
    let store = Store::none();
    std::fs::write(
        store.path(),
        "this is no database, and long enough to be looked at",
    )
    .unwrap();
    let ran = store.audit(&["events"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("audit.db"), "{ran:?}");
}

#[test]
fn a_password_is_not_shown_when_the_server_is_not_there() {
    let ran = ran(audit(&[
        "events",
        "--store",
        "postgres://me:hush-hush@127.0.0.1:1/audit?acquire_timeout=200ms",
    ]));
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
    assert!(
        ran.err.contains("postgres://me@127.0.0.1:1/audit"),
        "{ran:?}"
    );
    assert!(!ran.err.contains("hush"), "{ran:?}");
}

#[test]
fn help_and_version_go_to_standard_output() {
    for arguments in [&["--help"][..], &["events", "--help"], &["--version"]] {
        let ran = ran(audit(arguments));
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{arguments:?}");
        assert!(ran.out.contains("audit"), "{arguments:?}");
    }
}
