use audit_core::Clock as _;
use audit_core::event::{AuditEvent, EventId, Outcome, Timestamp};
use audit_core::logger::LOSS_METHOD;
use audit_testkit::fixture;
use audit_web::access::{Scope, Secret, Token, TokenName};
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Answer, Stand};

async fn hand_in(stand: &Stand, body: impl Into<String>) -> Answer {
    let request = stand.with_token(stand.request("POST", "/api/v1/events"), Scope::Ingest);
    stand.send(request, body.into()).await
}

fn results(answer: &Answer) -> Vec<String> {
    let json = answer.json();
    let results = json["results"].as_array().unwrap().iter();
    results
        .map(|result| result["result"].as_str().unwrap().to_owned())
        .collect()
}

/// What is stored, but for what is told of events that were refused.
fn handed_in(stand: &Stand) -> Vec<AuditEvent> {
    let mut stored = stand.store.recorded();
    stored.retain(|event| event.method.as_str() != LOSS_METHOD);
    stored
}

fn event(number: u64) -> Value {
    json!({
        "id": fixture::event_id(number),
        "method": "tools/call",
        "tool_name": "search",
        "outcome": "ok",
        "latency_ms": 1.5,
        "decision": { "auth": { "verdict": "allowed" } },
        "request_json": { "query": number },
    })
}

#[tokio::test]
async fn a_batch_that_is_sent_again_is_stored_once() {
    let stand = Stand::with(&[]).await;
    let array = Value::from(vec![event(1), event(2)]).to_string();
    let lines = format!("{}\n\n{}\n", event(1), event(3));
    assert_eq!(
        results(&hand_in(&stand, array.clone()).await),
        ["stored", "stored"]
    );
    let again = hand_in(&stand, array).await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(results(&again), ["already_stored", "already_stored"]);
    assert_eq!(
        results(&hand_in(&stand, lines).await),
        ["already_stored", "stored"]
    );
    // No number was given in vain, so there is no loss to tell, also when the server ends.
    let store = stand.store.clone();
    stand.end().await;
    let stored = store.recorded();
    let ids: Vec<_> = stored.iter().map(|event| event.id).collect();
    assert_eq!(ids, [1, 2, 3].map(fixture::event_id));
    assert_eq!(stored[0].outcome, Outcome::Ok);
    assert!(
        stored[0].writer.as_str().starts_with("the-ingest/"),
        "{}",
        stored[0].writer
    );
}

#[tokio::test]
async fn each_event_is_answered_for_itself() {
    let stand = Stand::with(&[]).await;
    hand_in(&stand, event(1).to_string()).await;
    let mut other = event(1);
    other["tool_name"] = json!("other");
    let mut long = event(2);
    long["role"] = json!("r".repeat(200));
    let mut unknown = event(3);
    unknown["tol_name"] = json!("x");
    let mut moved = event(4);
    moved["ts"] = json!(Timestamp::MIN);
    let mut outcome = event(5);
    outcome["outcome"] = json!("fine");
    let batch = json!([other, long, unknown, moved, outcome, 7, event(6)]);
    let answer = hand_in(&stand, batch.to_string()).await;
    assert_eq!(answer.status, StatusCode::MULTI_STATUS);
    assert_eq!(
        results(&answer),
        [
            "conflict", "refused", "refused", "refused", "refused", "refused", "stored"
        ]
    );
    let reasons = answer.text();
    assert!(reasons.contains("`role` is longer than 128"), "{reasons}");
    assert_eq!(handed_in(&stand).len(), 2);
}

#[tokio::test]
async fn an_id_that_a_batch_has_twice_is_stored_once() {
    let stand = Stand::with(&[]).await;
    let mut other = event(1);
    other["tool_name"] = json!("other");
    let answer = hand_in(&stand, json!([event(1), event(1), other]).to_string()).await;
    assert_eq!(results(&answer), ["stored", "already_stored", "conflict"]);
    assert_eq!(handed_in(&stand).len(), 1);
}

#[tokio::test]
async fn an_event_of_the_far_future_is_refused() {
    let stand = Stand::with(&[]).await;
    let now = stand.clock.now().as_micros();
    let ahead = |minutes: i64| {
        let mut event = event(1);
        let ts = Timestamp::from_micros(now + minutes * 60_000_000).unwrap();
        event["id"] = json!(EventId::new(ts, 1));
        event
    };
    let mut numbered = ahead(61);
    numbered["writer"] = json!("the-ingest");
    numbered["seq"] = json!(1);
    let batch = json!([ahead(59), ahead(61), numbered]);
    let answer = hand_in(&stand, batch.to_string()).await;
    assert_eq!(results(&answer), ["stored", "refused", "refused"]);
    assert!(answer.text().contains("an hour ahead"), "{}", answer.text());
}

#[tokio::test]
async fn nobody_writes_under_the_name_of_the_server() {
    let stand = Stand::with(&[]).await;
    let secret = Secret::random();
    // The logger of the stand's server writes as this.
    let name = TokenName::new("web").unwrap();
    let token = Token::new(
        name,
        Scope::Ingest.into(),
        secret.digest(),
        stand.clock.now(),
    );
    assert!(stand.tokens.add(token));
    let mut forged = event(1);
    forged["method"] = json!("audit/read");
    let mut numbered = forged.clone();
    numbered["writer"] = json!("web/000000000001");
    numbered["seq"] = json!(1);
    for forged in [&forged, &numbered] {
        let request = stand
            .request("POST", "/api/v1/events")
            .header("authorization", format!("Bearer {}", secret.reveal()));
        let refused = stand.send(request, forged.to_string()).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert_eq!(refused.json()["code"], "own-name");
    }
    assert_eq!(stand.store.n_events(), 0);
    // Under another name it is told apart by its writer.
    assert_eq!(
        results(&hand_in(&stand, forged.to_string()).await),
        ["stored"]
    );
    let stored = stand.store.recorded();
    assert!(stored[0].writer.as_str().starts_with("the-ingest/"));
}

#[tokio::test]
async fn a_gateway_numbers_its_events_under_its_own_name() {
    let stand = Stand::with(&[]).await;
    let numbered = |number: u64, writer: &str| {
        let mut event = event(number);
        event["writer"] = json!(writer);
        event["seq"] = json!(number);
        event
    };
    let batch = json!([
        numbered(1, "the-ingest"),
        numbered(2, "the-ingest/run-7"),
        numbered(3, "the-ingester"),
        numbered(4, "web/1"),
    ]);
    let answer = hand_in(&stand, batch.to_string()).await;
    assert_eq!(results(&answer), ["stored", "stored", "refused", "refused"]);
    let stored = stand.store.recorded();
    assert_eq!(stored[1].writer.as_str(), "the-ingest/run-7");
    assert_eq!(stored[1].seq.get(), 2);
}

#[tokio::test]
async fn no_secret_is_stored_or_answered() {
    let stand = Stand::with(&[]).await;
    let token = stand.token(Scope::Ingest).to_owned();
    let secret = format!("ghp_{}", &Secret::random().reveal()[6..42]);
    let mut in_payload = event(1);
    in_payload["request_json"] = json!({ "password": secret, "note": format!("it is {token}") });
    let mut in_text = event(2);
    in_text["api_key_id"] = json!(secret);
    let mut in_unknown = event(3);
    in_unknown[&secret] = json!(secret);
    let mut own_token = event(4);
    own_token["session_id"] = json!(token);
    let batch = json!([in_payload, in_text, in_unknown, own_token]);
    let answer = hand_in(&stand, batch.to_string()).await;
    let fates = results(&answer);
    assert_eq!(
        fates[..3],
        ["stored", "refused", "refused"],
        "{}",
        answer.text()
    );
    let stored: String = stand
        .store
        .recorded()
        .iter()
        .map(|it| it.to_json())
        .collect();
    for hidden in [&secret, &token] {
        assert!(
            !answer.text().contains(hidden.as_str()),
            "{}",
            answer.text()
        );
        assert!(!stored.contains(hidden.as_str()), "{stored}");
    }
    // Not even broken JSON is quoted.
    let broken = hand_in(&stand, format!("[{{\"id\": {secret}")).await;
    assert_eq!(broken.status, StatusCode::BAD_REQUEST);
    assert!(!broken.text().contains(&secret), "{}", broken.text());
}

#[tokio::test]
async fn a_batch_is_bounded() {
    let stand = Stand::with(&[]).await;
    let many = vec!["{}"; 1_001].join("\n");
    let answer = hand_in(&stand, many).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.json()["code"], "too-many-events");
    let answer = hand_in(&stand, " ".repeat((4 << 20) + 1)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    for nothing in ["", "[]", " \n "] {
        assert_eq!(
            hand_in(&stand, nothing).await.status,
            StatusCode::BAD_REQUEST
        );
    }
    let thousand: Vec<_> = (1..=1_000)
        .map(|number| event(number).to_string())
        .collect();
    let answer = hand_in(&stand, thousand.join("\n")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(stand.store.n_events(), 1_000);
}

#[tokio::test]
async fn an_event_of_another_store_is_taken_as_it_was_exported() {
    let stand = Stand::with(&[]).await;
    let exported = fixture::full_event(9).to_json();
    let mut event: Value = serde_json::from_str(&exported).unwrap();
    event.as_object_mut().unwrap().remove("writer");
    let answer = hand_in(&stand, event.to_string()).await;
    assert_eq!(results(&answer), ["stored"], "{}", answer.text());
    let stored = stand.store.recorded();
    let id: EventId = stored[0].id;
    assert_eq!(id, fixture::event_id(9));
    assert!(
        stored[0].is_same_fact(&fixture::full_event(9)),
        "{:?}",
        stored[0]
    );
}
