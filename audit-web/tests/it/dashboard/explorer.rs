use audit_testkit::fixture;
use audit_web::access::Scope;
use axum::http::StatusCode;

use super::{checked, page, query};
use crate::support::Stand;

#[tokio::test]
async fn a_mistyped_filter_is_pointed_at_beside_the_box() {
    let stand = Stand::with(&fixture::events(1..=3)).await;
    let typed = "tool:x statsu:500 \"<b>";
    let path = format!("/explore?{}", query("q", typed));
    let answer = stand.browse(Scope::Viewer, &path).await;
    assert_eq!(answer.status.as_u16(), 400);
    let page = checked(&answer);
    let input = page.by_id("q");
    assert_eq!(input.attribute("value"), typed);
    assert_eq!(input.attribute("aria-invalid"), "true");
    let problem = page.by_id(input.attribute("aria-describedby"));
    assert!(problem.text.contains("column 8"), "{}", problem.text);
    assert!(
        problem.text.contains("did you mean status:"),
        "{}",
        problem.text
    );
    assert_eq!(page.all("table").count(), 0);
    stand.end().await;
}

#[tokio::test]
async fn what_a_page_does_not_know_is_refused_and_not_passed_over() {
    let stand = Stand::with(&fixture::events(1..=3)).await;
    for path in [
        "/explore?fliter=x",
        "/explore?q=a&q=b",
        "/explore?n=7",
        "/explore?order=random",
        "/explore?cursor=x",
        "/explore?event=x",
        "/explore?at=yesteryear",
        "/explore/counts?q=statsu:1",
        "/?since=2h",
        "/live?q=%22",
        "/live?refresh=1",
        "/tool",
        "/tool?name=",
        "/key?name=a%00b",
        "/session?name=x&since=1y",
    ] {
        let answer = stand.browse(Scope::Viewer, path).await;
        assert_eq!(answer.status.as_u16(), 400, "{path}");
        let page = checked(&answer);
        assert!(
            page.all("p").any(|it| it.attribute("class") == "problem"),
            "{path}"
        );
    }
    stand.end().await;
}

#[tokio::test]
async fn what_is_not_there_says_so() {
    let stand = Stand::with(&[]).await;
    for path in [
        "/event/018bcfe5-6800-7000-8000-000000000000",
        "/event/x",
        "/event/..%2f",
        "/nothing",
        "/assets/nothing.js",
    ] {
        let answer = stand.browse(Scope::Viewer, path).await;
        assert_eq!(answer.status.as_u16(), 404, "{path}");
        assert!(checked(&answer).text().contains("here is no"), "{path}");
    }
    let page = page(&stand, Scope::Viewer, "/explore?q=tool%3Ax").await;
    assert!(page.text().contains("No event matches"), "{}", page.text());
    stand.end().await;
}

#[tokio::test]
async fn an_event_stands_beside_the_list_by_the_url_alone() {
    let stand = Stand::with(&fixture::events(1..=3)).await;
    let path = format!("/explore?q=&event={}", fixture::event_id(2));
    let shown = page(&stand, Scope::Auditor, &path).await;
    let pane = &shown.by_id("pane").text;
    assert!(pane.contains(&fixture::event_id(2).to_string()), "{pane}");
    let mut closing = shown.all("a").filter(|it| it.attribute("class") == "close");
    assert_eq!(closing.next().unwrap().attribute("href"), "/explore?q=");
    let path = "/explore?q=&event=018bcfe5-6800-7000-8000-000000000000";
    let missing = page(&stand, Scope::Auditor, path).await;
    assert!(missing.by_id("pane").text.contains("There is no event"));
    stand.end().await;
}

#[tokio::test]
async fn the_command_asks_what_the_page_asks() {
    let stand = Stand::with(&[]).await;
    let path = format!("/explore?{}", query("q", "tool:\"it's\" since:1h"));
    let page = page(&stand, Scope::Viewer, &path).await;
    let mut commands = page.all("code").filter(|it| it.is_within("p", "command"));
    let command = &commands.next().unwrap().text;
    assert_eq!(command, r#"audit events 'tool:"it'\''s" since:1h'"#);
    stand.end().await;
}

#[tokio::test]
async fn all_of_time_is_counted_only_when_it_is_asked_for() {
    let stand = Stand::with(&[]).await;
    for (filter, is_loaded) in [
        ("since:24h", true),
        ("time:2023-11-01..2023-11-02", true),
        ("tool:x", false),
        ("until:1h", false),
        ("", false),
    ] {
        let path = format!("/explore?{}", query("q", filter));
        let page = page(&stand, Scope::Viewer, &path).await;
        let counts = page.by_id("counts");
        assert_eq!(
            counts.attributes.contains_key("data-load"),
            is_loaded,
            "{filter}"
        );
        let mut links = page.all("a").filter(|it| it.is_within("div", "histogram"));
        let link = links.next().unwrap();
        assert!(
            link.attribute("href").starts_with("/explore/counts?"),
            "{filter}"
        );
    }
    stand.end().await;
}

#[tokio::test]
async fn who_may_take_the_list_away_is_led_to_its_export() {
    let stand = Stand::with(&fixture::events(1..=3)).await;
    for (scope, n_formats) in [(Scope::Viewer, 0), (Scope::Auditor, 3)] {
        let page = page(&stand, scope, "/explore?q=tool%3Asearch%20since%3A24h").await;
        let links = page
            .all("a")
            .filter(|it| it.attributes.contains_key("download"));
        let links: Vec<_> = links.map(|it| it.attribute("href")).collect();
        assert_eq!(links.len(), n_formats, "{scope}");
        for link in links {
            let answer = stand.get(scope, link).await;
            assert_eq!(answer.status.as_u16(), 200, "{link}");
            assert!(answer.text().contains("k_fixture"), "{link}");
        }
    }
    stand.end().await;
}

#[tokio::test]
async fn a_filter_of_a_page_is_as_bounded_as_that_of_the_api() {
    let stand = Stand::with(&[]).await;
    let long = "a".repeat(2_049);
    let many = vec!["a"; 129].join(" & ");
    for path in ["/explore", "/explore/counts", "/live"] {
        for text in [&long, &many] {
            let path = format!("{path}?q={}", text.replace(" & ", "+%26+"));
            let refused = stand.get(Scope::Viewer, &path).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path}");
            assert_eq!(refused.json()["parameter"], "q");
        }
    }
}
