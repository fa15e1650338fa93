use audit_core::reader::{AuditReader as _, Filter, FollowFrom, FollowPosition, FollowRequest};
use audit_testkit::fixture;
use audit_web::access::Scope;

use super::page;
use crate::support::Stand;

#[tokio::test]
async fn the_stream_goes_on_where_the_page_ends() {
    let stand = Stand::with(&fixture::events(1..=5)).await;
    let page = page(&stand, Scope::Viewer, "/live?q=tool%3Asearch").await;
    let listed = page.all("a").filter(|it| it.is_within("table", "events"));
    assert_eq!(listed.count(), 5);
    let (path, query) = page
        .by_id("live")
        .attribute("data-stream")
        .split_once('?')
        .unwrap();
    assert_eq!(path, "/api/v1/events/stream");
    let query: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    assert_eq!(query[0], ("filter".into(), "tool:search".into()));
    assert_eq!(query[1].0, "after");
    stand.append(&fixture::events(6..=8)).await;
    let position = FollowPosition::new(&*query[1].1).unwrap();
    let request = FollowRequest::new(Filter::all()).from(FollowFrom::After(position));
    let followed = stand.store.follow(&request).await.unwrap();
    let ids: Vec<_> = followed.events.iter().map(|it| it.event.id).collect();
    assert_eq!(ids, [6, 7, 8].map(fixture::event_id));
    stand.end().await;
}

#[tokio::test]
async fn without_a_script_the_page_can_load_itself_again() {
    let stand = Stand::with(&[]).await;
    let refresh = async |path| {
        let page = page(&stand, Scope::Viewer, path).await;
        let meta = page
            .all("meta")
            .find(|it| it.attribute("http-equiv") == "refresh");
        meta.map(|it| it.attribute("content").to_owned())
    };
    assert_eq!(refresh("/live").await, None);
    assert_eq!(refresh("/live?refresh=15").await.as_deref(), Some("15"));
    stand.end().await;
}
