use audit_core::event::{Outcome, SessionId};
use audit_testkit::fixture;
use audit_web::access::Scope;

use super::page;
use crate::support::Stand;

#[tokio::test]
async fn everything_that_is_known_stands_on_the_page() {
    let stand = Stand::with(&[fixture::full_event(7)]).await;
    let path = format!("/event/{}", fixture::event_id(7));
    let page = page(&stand, Scope::Auditor, &path).await;
    let text = page.text();
    for part in [
        "delete_customer",
        "k_fixture",
        "operator",
        "inspector",
        "192.0.2.7",
        "crm.internal",
        "429",
        "1.23 s",
        "1.20 s",
        "fixture-1",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "00f067aa0ba902b7",
        SessionId::hashed("fixture").as_str(),
        "Authentication: allowed",
        "Rate limit: denied; the caller had used up the limit.",
        "Reason: bucket empty.",
        "Rule: per-key.",
        "Limit: 60 calls, 0 left after this one.",
        "\"customer\": \"c-17\"",
        "\"isError\": true",
        "2023-11-14T22:13:20.007000Z",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let command = format!("audit show {}", fixture::event_id(7));
    assert!(text.contains(&command), "{text}");
    let time = page.all("time").next().unwrap();
    assert_eq!(time.attribute("datetime"), "2023-11-14T22:13:20.007000Z");
    stand.end().await;
}

#[tokio::test]
async fn redactions_and_cuts_are_marked() {
    let long = "word ".repeat(4_000);
    let json = format!("{{\"password\":\"hunter2\",\"text\":\"{long}\"}}");
    let draft = fixture::draft(1).request(fixture::payload(&json));
    let stand = Stand::with(&[fixture::stamp(draft, 1)]).await;
    let path = format!("/event/{}", fixture::event_id(1));
    let page = page(&stand, Scope::Auditor, &path).await;
    let marks: Vec<_> = page.all("mark").map(|it| it.text.as_str()).collect();
    assert_eq!(marks[0], "[REDACTED:password]");
    assert!(marks[1].starts_with("[TRUNCATED:"), "{marks:?}");
    let text = page.text();
    assert!(text.contains("1 redaction by the rule password"), "{text}");
    assert!(text.contains("cut: only a part was kept"), "{text}");
    stand.end().await;
}

#[tokio::test]
async fn the_neighbors_are_those_of_the_session_in_the_order_of_time() {
    let of = |number: u64, session: &str| {
        let session = SessionId::hashed(session);
        fixture::stamp(fixture::draft(number).session_id(session), number)
    };
    let mut events: Vec<_> = (1..=20).map(|number| of(number, "a")).collect();
    events.extend((21..=40).map(|number| of(number, "b")));
    let stand = Stand::with(&events).await;
    let here = fixture::event_id(10).to_string();
    let page = page(&stand, Scope::Viewer, &format!("/event/{here}")).await;
    let links = page.all("a").filter(|it| it.is_within("table", "events"));
    let ids: Vec<_> = links.map(|it| it.attribute("href")).collect();
    let expected: Vec<_> = (5..=15)
        .map(|number| format!("/event/{}", fixture::event_id(number)))
        .collect();
    assert_eq!(ids, expected);
    let mut current = page
        .all("tr")
        .filter(|it| it.attribute("aria-current") == "true");
    let current = &current.next().unwrap().text;
    assert!(current.starts_with("2023-11-14 22:13:20.010"), "{current}");
    stand.end().await;
}

#[tokio::test]
async fn every_outcome_is_told_in_words() {
    let events = (1..).zip(Outcome::ALL);
    let events: Vec<_> = events
        .map(|(number, outcome)| fixture::stamp(fixture::draft(number).outcome(*outcome), number))
        .collect();
    let stand = Stand::with(&events).await;
    for event in &events {
        let page = page(&stand, Scope::Viewer, &format!("/event/{}", event.id)).await;
        let text = page.text();
        assert!(text.contains(event.outcome.as_str()), "{text}");
        assert!(!text.contains("of a later version"), "{text}");
    }
    stand.end().await;
}
