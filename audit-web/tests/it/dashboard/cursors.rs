use std::collections::BTreeSet;

use audit_testkit::fixture;
use audit_web::access::Scope;

use super::html::{Element, Page};
use super::page;
use crate::support::Stand;

/// The events that a page lists.
fn listed(page: &Page) -> Vec<String> {
    let links = page.all("a").filter(|it| it.is_within("table", "events"));
    let ids = links.filter_map(|it| it.attribute("href").strip_prefix("/event/"));
    ids.map(str::to_owned).collect()
}

fn linked<'a>(page: &'a Page, rel: &str) -> Option<&'a str> {
    let mut links = page.all("a").filter(|it| it.attribute("rel") == rel);
    links.next().map(|it: &Element| it.attribute("href"))
}

#[tokio::test]
async fn pages_are_turned_both_ways_while_events_arrive() {
    let stand = Stand::with(&fixture::events(1..=230)).await;
    for order in ["newest", "oldest"] {
        let mut path = format!("/explore?q=tool%3Asearch&n=50&order={order}");
        let mut forth = Vec::new();
        let mut late = 1_000;
        let last = loop {
            let page = page(&stand, Scope::Viewer, &path).await;
            forth.push(listed(&page));
            // It stands before the first page of one order, and behind the last of the other.
            late += 1;
            if order == "newest" {
                stand.append(&fixture::events([late])).await;
            }
            match linked(&page, "next") {
                Some(next) => path = next.to_owned(),
                None => break page,
            }
        };
        let all: Vec<_> = forth.concat();
        let mut expected: Vec<_> = (1..=230)
            .map(|n| fixture::event_id(n).to_string())
            .collect();
        if order == "newest" {
            expected.reverse();
            assert_eq!(all, expected, "{order}");
        } else {
            assert_eq!(all[..230], expected, "{order}");
        }
        let mut back = vec![listed(&last)];
        let mut previous = linked(&last, "prev").map(str::to_owned);
        while let Some(path) = previous {
            let page = page(&stand, Scope::Viewer, &path).await;
            back.push(listed(&page));
            previous = linked(&page, "prev").map(str::to_owned);
        }
        let seen: BTreeSet<_> = back.concat().into_iter().collect();
        assert!(all.iter().all(|id| seen.contains(id)), "{order}");
    }
    stand.end().await;
}

#[tokio::test]
async fn a_cursor_of_another_list_is_refused() {
    let stand = Stand::with(&fixture::events(1..=60)).await;
    let first = page(&stand, Scope::Viewer, "/explore?q=tool%3Asearch&n=50").await;
    let next = linked(&first, "next").unwrap();
    let other = next.replace("search", "other");
    assert_ne!(next, other);
    let answer = stand.browse(Scope::Viewer, &other).await;
    assert_eq!(answer.status.as_u16(), 400);
    let text = super::checked(&answer).text().to_owned();
    assert!(text.contains("begin with the first page"), "{text}");
    stand.end().await;
}
