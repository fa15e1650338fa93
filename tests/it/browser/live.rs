//! The live tail, while servers come and go.

use std::collections::BTreeSet;

use audit_core::MonotonicIds;
use audit_core::event::AuditEvent;
use audit_web::access::Scope;

use super::chrome::Chrome;
use super::recorded;
use super::site::Site;

const SHOWN: &str = "[...document.querySelectorAll('#live table.events tbody a')]
    .map(it => it.getAttribute('href').split('/').pop())";

async fn shown(chrome: &Chrome) -> Vec<String> {
    let ids = chrome.run(&format!("return {SHOWN};")).await;
    let ids = ids.as_array().cloned().unwrap_or_default();
    ids.iter()
        .filter_map(|id| id.as_str().map(str::to_owned))
        .collect()
}

fn ids(events: &[AuditEvent]) -> BTreeSet<String> {
    events.iter().map(|event| event.id.to_string()).collect()
}

async fn is_in_state(chrome: &Chrome, state: &str) {
    let is = format!("document.querySelector('#live-state').dataset.state === '{state}'");
    chrome.until(&is).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_browser_the_live_tail_has_no_gap_and_no_double_across_restarts() {
    let before = recorded::calls(5);
    let mut site = Site::with(&before).await;
    let chrome = Chrome::start().await;
    site.log_in(&chrome, Scope::Viewer).await;
    chrome.open(&site.url("/live")).await;
    is_in_state(&chrome, "live").await;
    let source = MonotonicIds::new();
    let mut stored = before.clone();
    for round in 0..3_u64 {
        let first = 100 + round * 40;
        let while_up = recorded::new_calls(first..=first + 19, &source);
        site.keep(&while_up).await;
        let seen = format!("{SHOWN}.length >= {}", stored.len() + 20);
        chrome.until(&seen).await;
        site.stop().await;
        is_in_state(&chrome, "lost").await;
        let while_down = recorded::new_calls(first + 20..=first + 39, &source);
        site.keep(&while_down).await;
        site.start().await;
        stored.extend(while_up);
        stored.extend(while_down);
        chrome
            .until(&format!("{SHOWN}.length >= {}", stored.len()))
            .await;
        is_in_state(&chrome, "live").await;
    }
    let shown = shown(&chrome).await;
    let set: BTreeSet<String> = shown.iter().cloned().collect();
    assert_eq!(set.len(), shown.len(), "an event is shown twice");
    assert_eq!(set, ids(&stored));
    chrome.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_browser_a_tail_that_was_paused_shows_all_that_it_missed() {
    let site = Site::with(&[]).await;
    let chrome = Chrome::start().await;
    site.log_in(&chrome, Scope::Viewer).await;
    chrome.open(&site.url("/live")).await;
    is_in_state(&chrome, "live").await;
    let source = MonotonicIds::new();
    let first = recorded::new_calls(1..=5, &source);
    site.keep(&first).await;
    chrome.until(&format!("{SHOWN}.length === 5")).await;
    chrome.click("#live-pause").await;
    is_in_state(&chrome, "paused").await;
    let missed = recorded::new_calls(6..=17, &source);
    site.keep(&missed).await;
    // It says how many wait, and shows none of them.
    chrome.until("/\\b12\\b/.test(document.querySelector('#live').textContent.replaceAll(/\\d{4}-[^ ]*/g, ''))").await;
    assert_eq!(shown(&chrome).await.len(), 5);
    chrome.click("#live-pause").await;
    is_in_state(&chrome, "live").await;
    chrome.until(&format!("{SHOWN}.length === 17")).await;
    let all = [first, missed].concat();
    assert_eq!(
        shown(&chrome).await.into_iter().collect::<BTreeSet<_>>(),
        ids(&all)
    );
    assert_eq!(chrome.console().await, [""; 0]);
    chrome.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_browser_a_tail_follows_its_filter() {
    let site = Site::with(&[]).await;
    let chrome = Chrome::start().await;
    site.log_in(&chrome, Scope::Viewer).await;
    chrome.open(&site.url("/live?q=outcome:denied")).await;
    is_in_state(&chrome, "live").await;
    let events = recorded::new_calls(1..=40, &MonotonicIds::new());
    site.keep(&events).await;
    let denied: Vec<_> = events
        .into_iter()
        .filter(|event| event.outcome == audit_core::event::Outcome::Denied)
        .collect();
    chrome
        .until(&format!("{SHOWN}.length === {}", denied.len()))
        .await;
    assert_eq!(
        shown(&chrome).await.into_iter().collect::<BTreeSet<_>>(),
        ids(&denied)
    );
    chrome.end().await;
}
