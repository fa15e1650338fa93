use audit_testkit::fixture;
use audit_web::access::Scope;

use super::page;
use crate::support::Stand;

#[tokio::test]
async fn a_hundred_rows_are_light() {
    let events: Vec<_> = (1..=150).map(fixture::full_event).collect();
    let stand = Stand::with(&events).await;
    let answer = stand.browse(Scope::Viewer, "/explore?q=").await;
    let n_rows = answer.text().matches("<tr>").count();
    assert_eq!(n_rows, 101, "rows and their heading");
    // Uncompressed; on the way they may become less.
    assert!(answer.body.len() <= 60_000, "{} bytes", answer.body.len());
    stand.end().await;
}

#[tokio::test]
async fn the_script_is_one_small_module_of_this_server() {
    let stand = Stand::with(&[]).await;
    let page = page(&stand, Scope::Viewer, "/").await;
    let script = page.all("script").next().unwrap();
    assert_eq!(script.attribute("type"), "module");
    let answer = stand.get(Scope::Viewer, script.attribute("src")).await;
    assert!(answer.header("content-type").starts_with("text/javascript"));
    // A third of it, compressed.
    assert!(answer.body.len() <= 18_000, "{} bytes", answer.body.len());
    // What Trusted Types would refuse, and what would run text.
    for sink in [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "DOMParser",
    ] {
        assert!(!answer.text().contains(sink), "{sink}");
    }
    stand.end().await;
}
