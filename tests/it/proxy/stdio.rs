//! Between a client and the server that the proxy starts.

use audit_core::event::{AuditEvent, Outcome};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::process::Command;

use super::stand::{Records, SERVER, Session, call, in_words};

/// A secret that the server has in its environment.
const SECRET: &str = "harmless words of the environment";

/// The server by itself, in the environment that it has behind a proxy.
fn server(records: &Records) -> Command {
    let mut command = Command::new(SERVER);
    records.surround(&mut command);
    command.env("GREETING_OF_THE_SERVER", SECRET);
    command
}

fn proxied(records: &Records, options: &[&str]) -> Session {
    let mut command = records.proxy(options);
    command
        .args(["--", SERVER])
        .env("GREETING_OF_THE_SERVER", SECRET);
    Session::start(command)
}

/// Everything that a client can ask, one after the other; all that it gets back.
async fn play(mut session: Session) -> Vec<String> {
    let mut seen = vec![session.shake_hands().await];
    let list = json!({ "jsonrpc": "2.0", "id": "a", "method": "tools/list" });
    let unknown = json!({ "jsonrpc": "2.0", "id": 1.5e3, "method": "no/such" });
    let alone = [
        list,
        call(2, "echo", json!({ "text": "Zürich \u{2028} ✓" })),
        call(3, "fail", json!({})),
        call(4, "error", json!({ "code": -32001 })),
        call(5, "nowhere", json!({})),
        call(6, "echo", json!("no object")),
        call(7, "image", json!({})),
        call(8, "env", json!({})),
        unknown,
    ];
    for message in &alone {
        session.send(message).await;
        seen.push(session.line().await.unwrap());
    }
    // Its progress comes before it.
    let mut progress = call(10, "progress", json!({}));
    progress["params"]["_meta"] = json!({ "progressToken": "p" });
    session.send(&progress).await;
    for _ in 0..4 {
        seen.push(session.line().await.unwrap());
    }
    // The server asks back.
    session.call(11, "sample", json!({})).await;
    let asked = session.line().await.unwrap();
    let id = serde_json::from_str::<Value>(&asked).unwrap()["id"].clone();
    seen.push(asked);
    let said = json!({
        "role": "assistant",
        "content": { "type": "text", "text": "said by the model" },
        "model": "m",
    });
    session
        .send(&json!({ "jsonrpc": "2.0", "id": id, "result": said }))
        .await;
    seen.push(session.line().await.unwrap());
    session.call(12, "big", json!({ "bytes": 2 << 20 })).await;
    seen.push(session.line().await.unwrap());
    session.close();
    assert_eq!(session.line().await, None);
    let (status, _) = session.ended().await;
    assert!(status.success(), "{status}");
    seen
}

#[tokio::test]
async fn the_client_sees_what_it_sees_without_the_proxy() {
    let records = Records::new();
    let direct = play(Session::start(server(&records))).await;
    let proxied = play(proxied(&records, &[])).await;
    assert_eq!(direct.len(), proxied.len());
    for (direct, proxied) in direct.iter().zip(&proxied) {
        assert_eq!(direct, proxied);
    }
    assert_eq!(
        records.in_words().await,
        [
            "initialize ok",
            "tools/list ok",
            "tools/call echo ok",
            "tools/call fail tool_error",
            "tools/call error rpc_error",
            "tools/call nowhere rpc_error",
            "tools/call echo rpc_error",
            "tools/call image ok",
            "tools/call env ok",
            "no/such rpc_error",
            "tools/call progress ok",
            "tools/call sample ok",
            "sampling/createMessage ok",
            "tools/call big ok",
        ]
    );
    let bytes = records.bytes();
    assert!(
        !contains(&bytes, SECRET.as_bytes()),
        "the environment is on record"
    );
    let events = records.all().await;
    let numbers: Vec<u64> = {
        let mut numbers: Vec<u64> = events.iter().map(|event| event.seq.get()).collect();
        numbers.sort_unstable();
        numbers
    };
    let n_events = u64::try_from(events.len()).unwrap();
    assert_eq!(numbers, (1..=n_events).collect::<Vec<_>>());
    let client = &events[2].client;
    assert_eq!(client.name.as_ref().unwrap().as_str(), "stand");
    assert_eq!(
        events[2].upstream.as_ref().unwrap().as_str(),
        "audit-mcp-server"
    );
    let big = events.last().unwrap().response().unwrap();
    assert!(big.json().unwrap().contains("sha256"), "{:?}", big.json());
}

#[tokio::test]
async fn who_calls_is_what_the_command_line_says() {
    let records = Records::new();
    let options = [
        "--api-key-id",
        "k_7",
        "--role",
        "analyst",
        "--upstream-name",
        "tools",
    ];
    let mut session = proxied(&records, &options);
    session.shake_hands().await;
    session.close();
    session.ended().await;
    let event = &records.all().await[0];
    assert_eq!(event.api_key_id.as_ref().unwrap().as_str(), "k_7");
    assert_eq!(event.role.as_str(), "analyst");
    assert_eq!(event.upstream.as_ref().unwrap().as_str(), "tools");
}

#[tokio::test]
async fn a_call_that_is_taken_back_is_cancelled() {
    let records = Records::new();
    let mut session = proxied(&records, &[]);
    session.shake_hands().await;
    session.call(1, "slow", json!({})).await;
    let params = json!({ "requestId": 1, "reason": "changed my mind" });
    session
        .send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }))
        .await;
    session.call(2, "echo", json!({})).await;
    // The server may answer the first one all the same.
    while session.next().await["id"] != 2 {}
    session.close();
    session.ended().await;
    assert_eq!(
        records.in_words().await,
        [
            "initialize ok",
            "tools/call slow cancelled",
            "tools/call echo ok"
        ]
    );
}

#[tokio::test]
async fn a_server_that_dies_fails_every_call_in_flight_and_gives_its_code() {
    let records = Records::new();
    let mut session = proxied(&records, &[]);
    session.shake_hands().await;
    session.call(1, "stubborn", json!({})).await;
    session.call(2, "die", json!({})).await;
    assert_eq!(session.line().await, None);
    let (status, _) = session.ended().await;
    assert_eq!(status.code(), Some(3));
    assert_eq!(
        records.in_words().await,
        [
            "initialize ok",
            "tools/call stubborn upstream_disconnected",
            "tools/call die upstream_disconnected",
        ]
    );
}

#[tokio::test]
async fn what_is_no_message_goes_through_and_is_on_record() {
    let records = Records::new();
    let mut command = records.proxy(&[]);
    // A server that gives back every byte.
    command.args(["--", "cat"]);
    let mut session = Session::start(command);
    for line in [
        "not json",
        "[1]",
        "\"text\"",
        "{\"jsonrpc\":\"2.0\"}",
        "",
        "{\"id\":1",
    ] {
        session.write(format!("{line}\r\n").as_bytes()).await;
        assert_eq!(
            session.line().await.unwrap(),
            format!("{line}\r").trim_end_matches('\r')
        );
    }
    session.write(b"no end of line").await;
    session.close();
    assert_eq!(session.line().await.as_deref(), Some("no end of line"));
    assert_eq!(session.line().await, None);
    session.ended().await;
    let words = records.in_words().await;
    assert_eq!(
        words,
        vec!["invalid invalid_request"; 6],
        "a blank line is nothing"
    );
}

#[tokio::test]
async fn a_signal_ends_proxy_and_server_and_keeps_the_records() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let records = Records::new();
        let mut session = proxied(&records, &[]);
        session.shake_hands().await;
        session.call(1, "stubborn", json!({})).await;
        // The second call shows that the first one is under way.
        session.call(2, "echo", json!({})).await;
        assert_eq!(session.next().await["id"], 2);
        session.signal(signal);
        session.ended().await;
        let words = records.in_words().await;
        assert_eq!(
            words[1..],
            ["tools/call stubborn cancelled", "tools/call echo ok"]
        );
    }
}

#[tokio::test]
async fn a_server_that_does_not_want_to_end_is_ended() {
    let records = Records::new();
    let mut command = records.proxy(&[]);
    let stubborn =
        "trap '' TERM; exec 0<&-; echo ready; while :; do read -t 1 line <> /dev/zero; done";
    command.args(["--", "bash", "-c", stubborn]);
    let mut session = Session::start(command);
    assert_eq!(session.line().await.as_deref(), Some("ready"));
    session.close();
    // Its end is seen by the end of the standard error that it shares.
    let (status, _) = session.ended().await;
    assert_eq!(status.code(), Some(128 + 9));
}

#[tokio::test]
async fn a_proxy_that_is_killed_leaves_no_server_behind() {
    let records = Records::new();
    let mut command = records.proxy(&[]);
    let stubborn =
        "trap '' TERM HUP; exec 0<&-; echo ready; while :; do read -t 1 line <> /dev/zero; done";
    command.args(["--", "bash", "-c", stubborn]);
    let mut session = Session::start(command);
    assert_eq!(session.line().await.as_deref(), Some("ready"));
    session.signal(Signal::KILL);
    session.ended().await;
}

#[tokio::test]
async fn what_was_announced_before_a_kill_is_on_record_as_interrupted() {
    let records = Records::new();
    let policy = records.path().with_file_name("policy.toml");
    std::fs::write(
        &policy,
        "[[rule]]\ntools = [\"slow\"]\nwrite_ahead = true\n",
    )
    .unwrap();
    let options = ["--policy", policy.to_str().unwrap()];
    let mut session = proxied(&records, &options);
    session.shake_hands().await;
    session.call(1, "slow", json!({})).await;
    session.call(2, "echo", json!({})).await;
    assert_eq!(session.next().await["id"], 2);
    session.signal(Signal::KILL);
    session.ended().await;

    let mut session = proxied(&records, &options);
    session.shake_hands().await;
    session.close();
    session.ended().await;
    let events = records.all().await;
    let interrupted: Vec<String> = events
        .iter()
        .filter(|event| event.outcome == Outcome::Interrupted)
        .map(in_words)
        .collect();
    assert_eq!(interrupted, ["tools/call slow interrupted"], "{events:#?}");
}

#[tokio::test]
async fn the_policy_says_what_is_kept_of_payloads() {
    let records = Records::new();
    let policy = records.path().with_file_name("policy.toml");
    std::fs::write(
        &policy,
        "[payload]\nredact_keys = [\"tenant ref\"]\n\
         [payload.patterns]\nticket = \"ticket-[0-9]{4}\"\n\
         [[payload.levels]]\ntools = [\"fail\"]\nlevel = \"metadata\"\n",
    )
    .unwrap();
    let mut session = proxied(&records, &["--policy", policy.to_str().unwrap()]);
    session.shake_hands().await;
    let arguments = json!({ "text": "see ticket-4711", "tenantRef": "t-1" });
    session.call(1, "echo", arguments.clone()).await;
    assert_eq!(session.next().await["id"], 1);
    session.call(2, "fail", arguments).await;
    assert_eq!(session.next().await["id"], 2);
    session.close();
    session.ended().await;

    let events = records.all().await;
    let of_tool = |tool: &str| {
        let is_tool = |event: &&AuditEvent| {
            event
                .tool_name
                .as_ref()
                .is_some_and(|it| it.as_str() == tool)
        };
        events.iter().find(is_tool).unwrap()
    };
    let kept = of_tool("echo").request().unwrap().json().unwrap();
    for text in ["[REDACTED:operator_key]", "see [REDACTED:ticket]"] {
        assert!(kept.contains(text), "{kept}");
    }
    let kept = of_tool("echo").response().unwrap().json().unwrap();
    assert!(!kept.contains("4711"), "{kept}");
    assert_eq!(of_tool("fail").request().unwrap().json(), None);
}

#[tokio::test]
async fn the_start_says_what_happens_if_the_store_fails() {
    for (options, says) in [
        (&[][..], "fail closed"),
        (&["--on-store-failure", "pass"], "fail open"),
    ] {
        let records = Records::new();
        let mut session = proxied(&records, options);
        session.shake_hands().await;
        session.close();
        let (_, said) = session.ended().await;
        assert!(said.contains(says), "{said}");
    }
}

#[tokio::test]
async fn a_proxy_that_cannot_record_does_not_start_its_server() {
    let records = Records::new();
    std::fs::create_dir(records.path()).unwrap();
    let session = proxied(&records, &[]);
    let (status, said) = session.ended().await;
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("audit.db"), "{said}");
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}
