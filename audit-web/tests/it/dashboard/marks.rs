use std::time::Duration;

use audit_core::Clock as _;
use audit_core::event::{
    ApiKeyId, AuditEvent, Check, Decision, EventId, Latency, Outcome, Reason, SessionId, Timestamp,
    ToolName,
};
use audit_core::reader::{AuditReader as _, Filter, moment};
use audit_testkit::fixture;
use audit_web::access::Scope;

use super::html::{Element, Page};
use super::page;
use crate::support::Stand;

/// Events of the day before `now`, of every outcome, by a few tools and keys.
fn events(now: Timestamp) -> Vec<AuditEvent> {
    let minutes = (1..=300_u64).map(|number| {
        let micros = i64::try_from(number * 289_000_000).unwrap();
        let ts = Timestamp::from_micros(now.as_micros() - micros).unwrap();
        let at = usize::try_from(number).unwrap();
        let outcome = Outcome::ALL[at % Outcome::ALL.len()];
        let decision = match outcome {
            Outcome::Denied => Decision::allowed().authz(Check::denied(
                Reason::new(["too bold", "not listed"][at % 2]).unwrap(),
            )),
            Outcome::RateLimited => {
                Decision::allowed().rate(Check::denied(Reason::new("bucket empty").unwrap()))
            }
            _ => Decision::allowed(),
        };
        let mut draft = fixture::draft(number)
            .ts(ts)
            .id(EventId::new(ts, number))
            .decision(decision)
            .outcome(outcome)
            .session_id(SessionId::hashed(format!("{}", at % 7)))
            .latency(Latency::new(Duration::from_millis(number)));
        if at % 5 > 0 {
            let tool = ["say \"hi\"", "delete_*", "a b", "none"][at % 4];
            draft = draft.tool_name(ToolName::new(tool).unwrap());
        }
        if at % 3 > 0 {
            draft = draft.api_key_id(ApiKeyId::new(["k_one", "k\\two"][at % 2]).unwrap());
        }
        fixture::stamp(draft, number)
    });
    minutes.collect()
}

/// A number as it stands on a page.
fn number(text: &str) -> Option<u64> {
    text.replace(',', "").parse().ok()
}

/// How many events a link leads to.
async fn n_behind(stand: &Stand, link: &Element) -> u64 {
    assert!(link.attribute("href").starts_with("/explore?"), "{link:?}");
    let parameters = link.parameters();
    let at = moment(&parameters["at"], Timestamp::MIN).unwrap();
    let filter = Filter::parse(&parameters["q"], at).unwrap();
    stand.store.count(&filter, 10_000).await.unwrap().n_events
}

/// Follows every mark of the picture; says how many events they stand for together.
async fn follow_marks(stand: &Stand, page: &Page) -> u64 {
    let mut sum = 0;
    for link in page.all("a").filter(|it| it.is_within("svg", "")) {
        // "2023-11-14 22:00 UTC: 12 failed"
        let (_, said) = link.text.rsplit_once(": ").unwrap();
        let n = number(said.split(' ').next().unwrap()).unwrap();
        assert_eq!(n_behind(stand, link).await, n, "{link:?}");
        sum += n;
    }
    sum
}

/// Follows every number that is a link; says how many there were.
async fn follow_numbers(stand: &Stand, page: &Page) -> usize {
    let mut n_links = 0;
    for link in page.all("a").filter(|it| !it.is_within("svg", "")) {
        if let Some(n) = number(&link.text) {
            let is_listed = link.attribute("href").starts_with("/explore?");
            if is_listed && link.parameters().contains_key("at") {
                assert_eq!(n_behind(stand, link).await, n, "{link:?}");
                n_links += 1;
            }
        }
    }
    n_links
}

#[tokio::test]
async fn every_number_and_mark_leads_to_the_events_that_it_counts() {
    let stand = Stand::with(&[]).await;
    let now = Timestamp::from_micros(fixture::moment(0).as_micros() + 86_400_000_000).unwrap();
    stand.clock.set(now);
    stand.append(&events(stand.clock.now())).await;
    for (path, filter) in [
        ("/", "since:24h until:now"),
        ("/?since=1h", "since:1h until:now"),
        ("/?since=7d", "since:7d until:now"),
        ("/?since=30d", "since:30d until:now"),
        ("/explore/counts", "since:24h"),
        ("/explore/counts?q=", ""),
        (
            "/explore/counts?q=outcome%3Adenied%20time%3A%3E%3D2023-11-14",
            "outcome:denied time:>=2023-11-14",
        ),
        (
            "/explore/counts?q=-outcome%3Aok%20tool%3Anone",
            "-outcome:ok tool:none",
        ),
        ("/tool?name=delete_*", "tool:delete_\\* since:24h until:now"),
        ("/key?name=k%5Ctwo", "key:k\\\\two since:24h until:now"),
        ("/session?name=SESSION", "session:SESSION"),
    ] {
        let session = SessionId::hashed("3");
        let path = path.replace("SESSION", session.as_str());
        let filter = Filter::parse(&filter.replace("SESSION", session.as_str()), now).unwrap();
        let counted = stand.store.count(&filter, 10_000).await.unwrap();
        let page = page(&stand, Scope::Viewer, &path).await;
        let n_marked = follow_marks(&stand, &page).await;
        assert_eq!(n_marked, counted.n_events, "{path}");
        assert!(n_marked > 10, "{path}");
        assert!(follow_numbers(&stand, &page).await > 4, "{path}");
    }
    stand.end().await;
}

#[tokio::test]
async fn a_facet_narrows_to_as_many_events_as_it_says() {
    let stand = Stand::with(&[]).await;
    stand.append(&events(stand.clock.now())).await;
    let page = page(
        &stand,
        Scope::Viewer,
        "/explore/counts?q=outcome%3Aok%2Cdenied",
    )
    .await;
    let links = page.all("a").filter(|it| it.is_within("ul", "facet"));
    let numbers = page.all("span").filter(|it| it.is_within("ul", "facet"));
    let mut n_facets = 0;
    for (link, n) in links.zip(numbers) {
        assert_eq!(
            Some(n_behind(&stand, link).await),
            number(&n.text),
            "{link:?}"
        );
        n_facets += 1;
    }
    // Two outcomes, three tools, two keys, one role; one of each key and tool is none.
    assert_eq!(n_facets, 8);
    stand.end().await;
}

#[tokio::test]
async fn the_table_says_what_the_picture_says() {
    let stand = Stand::with(&[]).await;
    stand.append(&events(stand.clock.now())).await;
    let page = page(&stand, Scope::Viewer, "/explore/counts?q=").await;
    let marks = page.all("a").filter(|it| it.is_within("svg", ""));
    let marks: Vec<_> = marks.map(|it| it.attribute("href")).collect();
    let cells = page.all("a").filter(|it| it.is_within("figure", "chart"));
    let cells: Vec<_> = cells
        .filter(|it| it.is_within("div", "scroll"))
        .map(|it| it.attribute("href"))
        .collect();
    assert!(!marks.is_empty());
    assert!(marks.iter().all(|href| cells.contains(href)));
    stand.end().await;
}
