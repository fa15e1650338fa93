use audit_core::reader::{AuditReader as _, Filter};
use audit_testkit::fixture;
use audit_web::access::Scope;

use super::{checked, page};
use crate::support::Stand;

const PAGES: [&str; 8] = [
    "/",
    "/explore",
    "/explore/counts",
    "/live",
    "/tool?name=search",
    "/key?name=k_fixture",
    "/session?name=x",
    "/theme",
];

async fn n_reads(stand: &Stand) -> u64 {
    let filter = Filter::parse("method:audit/read", fixture::moment(0)).unwrap();
    stand.store.count(&filter, 100).await.unwrap().n_events
}

#[tokio::test]
async fn payloads_are_shown_to_auditors_and_each_look_is_on_record() {
    let stand = Stand::with(&[fixture::full_event(7)]).await;
    let path = format!("/event/{}", fixture::event_id(7));
    let seen = page(&stand, Scope::Viewer, &path).await;
    assert!(!seen.text().contains("c-17"), "{}", seen.text());
    assert!(seen.text().contains("scope auditor"), "{}", seen.text());
    let pane = format!("/explore?q=&event={}", fixture::event_id(7));
    for without in [&pane, &format!("{path}?payloads=no")] {
        let seen = page(&stand, Scope::Auditor, without).await;
        assert!(!seen.text().contains("c-17"), "{}", seen.text());
    }
    assert_eq!(n_reads(&stand).await, 0);
    for n_before in 0..2 {
        assert_eq!(n_reads(&stand).await, n_before);
        let seen = page(&stand, Scope::Auditor, &path).await;
        assert!(seen.text().contains("c-17"), "{}", seen.text());
    }
    assert_eq!(n_reads(&stand).await, 2);
    stand.end().await;
}

#[tokio::test]
async fn whoever_hands_events_in_reads_none() {
    let stand = Stand::with(&[fixture::full_event(7)]).await;
    let event = format!("/event/{}", fixture::event_id(7));
    let pages = PAGES.iter().copied().filter(|path| *path != "/theme");
    for path in pages.chain(["/system", event.as_str()]) {
        let answer = stand.browse(Scope::Ingest, path).await;
        assert_eq!(answer.status.as_u16(), 403, "{path}");
        let text = checked(&answer).text().to_owned();
        assert!(text.contains("this needs the scope"), "{path}: {text}");
        assert!(!text.contains("delete_customer"), "{path}");
    }
    stand.end().await;
}

#[tokio::test]
async fn nobody_sees_a_page_without_a_login() {
    let stand = Stand::with(&[fixture::full_event(7)]).await;
    for path in PAGES {
        let method = if path == "/theme" { "POST" } else { "GET" };
        let request = stand.request(method, path);
        let request = request
            .header("accept", "text/html")
            .header("sec-fetch-site", "same-origin");
        let answer = stand.send(request, "").await;
        assert_eq!(answer.header("location"), "/login", "{path}");
    }
    stand.end().await;
}

#[tokio::test]
async fn only_who_may_see_the_system_is_led_there() {
    let stand = Stand::with(&[]).await;
    for (scope, may_see) in [
        (Scope::Viewer, false),
        (Scope::Auditor, false),
        (Scope::Admin, true),
    ] {
        let overview = page(&stand, scope, "/").await;
        let is_led = overview
            .all("a")
            .any(|it| it.attribute("href") == "/system");
        assert_eq!(is_led, may_see, "{scope}");
        let answer = stand.browse(scope, "/system").await;
        assert_eq!(answer.status.is_success(), may_see, "{scope}");
    }
    stand.end().await;
}
