//! README's first command.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

use audit_core::event::AuditEvent;
use rustix::process::{Pid, Signal, kill_process};

use crate::store::{Store, audit, ran};

#[test]
fn every_call_of_the_demo_has_one_record_with_the_right_outcome() {
    let store = Store::none();
    let address = format!("sqlite:{}", store.path().display());
    let ran_demo = ran(audit(&["demo", "--store", &address]));
    assert_eq!(ran_demo.code, 0, "{ran_demo:?}");
    assert!(
        ran_demo
            .out
            .contains("14 calls, 14 records, 0 that are not as they should be"),
        "{}",
        ran_demo.out
    );
    assert!(
        ran_demo.out.contains("None were found of"),
        "{}",
        ran_demo.out
    );

    let mut outcomes: Vec<String> = store
        .audit(&["events"])
        .out
        .lines()
        .map(|line| AuditEvent::from_json(line).unwrap().outcome.to_string())
        .collect();
    outcomes.sort();
    assert_eq!(
        outcomes,
        [
            "cancelled",
            "denied",
            "invalid_request",
            "ok",
            "ok",
            "ok",
            "ok",
            "ok",
            "rate_limited",
            "rpc_error",
            "timeout",
            "tool_error",
            "unauthenticated",
            "unauthenticated",
        ]
    );
    assert_eq!(store.audit(&["doctor"]).code, 0);
}

#[test]
fn the_demo_needs_no_disk() {
    let ran = ran(audit(&["demo", "--store", "memory:"]));
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = ran(audit(&["demo", "--store", "memory:", "--listen", &address]));
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.err.contains(&address) && ran.err.contains("--listen"),
        "{ran:?}"
    );
}

#[test]
fn a_demo_that_goes_on_shows_its_calls_in_the_dashboard() {
    let store = Store::none();
    let address = format!("sqlite:{}", store.path().display());
    let mut command = audit(&["demo", "--serve", "--store", &address]);
    let mut demo = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let told = lines
        .by_ref()
        .map(|line| line.unwrap())
        .find(|line| line.starts_with("The dashboard:"))
        .expect("it says where the dashboard is");
    let (place, token) = told.split_once(", log in with ").unwrap();
    let place = place.strip_prefix("The dashboard: http://").unwrap();
    let host = place.trim_end_matches('/');
    let pages = ["/", "/explore?q=tool:get_weather", "/system"].map(|path| {
        let mut stream = TcpStream::connect(host).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: {host}\r\naccept: text/html\r\n\
             authorization: Bearer {token}\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        page
    });
    kill_process(Pid::from_child(&demo), Signal::INT).unwrap();
    // What it still prints is read, or it could not print it.
    assert!(lines.all(|line| line.is_ok()));
    assert_eq!(demo.wait().unwrap().code(), Some(0));
    for page in &pages {
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    }
    assert!(pages[1].contains("get_weather"), "{}", pages[1]);
    assert_eq!(store.audit(&["doctor"]).code, 0);
}
