//! With the keyboard alone.

use audit_web::access::Scope;
use fantoccini::key::Key;

use super::chrome::Chrome;
use super::recorded;
use super::site::Site;

#[tokio::test(flavor = "multi_thread")]
async fn needs_browser_everything_is_reached_with_the_keyboard() {
    let site = Site::with(&recorded::calls(40)).await;
    let chrome = Chrome::start().await;
    site.log_in(&chrome, Scope::Auditor).await;
    chrome.open(&site.url("/explore?q=since:7d")).await;
    chrome.until("document.readyState === 'complete'").await;

    // First of all past the navigation.
    chrome.keys(Key::Tab).await;
    chrome
        .until("document.activeElement.matches('a.skip')")
        .await;
    chrome.keys(Key::Enter).await;
    chrome
        .until("document.activeElement.id === 'main' || location.hash === '#main'")
        .await;

    // Down the list and up again, and into an event.
    chrome.keys('j').await;
    chrome
        .until("document.activeElement.closest('table.events tbody tr')")
        .await;
    let first = chrome.run(FOCUSED).await;
    chrome.keys('j').await;
    let second = chrome.run(FOCUSED).await;
    assert_ne!(first, second);
    chrome.keys('k').await;
    assert_eq!(chrome.run(FOCUSED).await, first);
    chrome.keys(Key::Enter).await;
    chrome.until("document.querySelector('#event')").await;
    chrome
        .until("/event[=\\/][0-9a-f-]{36}/.test(location.href)")
        .await;

    // To the filter, ask, and back by the letters of a page.
    chrome.open(&site.url("/explore?q=since:7d")).await;
    chrome.until("document.readyState === 'complete'").await;
    chrome.keys('/').await;
    chrome.until("document.activeElement.id === 'q'").await;
    for key in " outcome:denied".chars() {
        chrome.keys(key).await;
    }
    chrome.keys(Key::Enter).await;
    chrome.until("location.search.includes('denied')").await;
    chrome.until("document.readyState === 'complete'").await;
    let outcomes = "[...document.querySelectorAll('table.events tbody tr')]
        .every(row => row.cells[1].textContent.trim() === 'denied')";
    chrome.until(outcomes).await;
    chrome.run("document.activeElement.blur()").await;
    chrome.keys('?').await;
    chrome.until("document.querySelector('#keys').open").await;
    chrome.keys(Key::Escape).await;
    chrome.until("!document.querySelector('#keys').open").await;
    chrome.keys('g').await;
    chrome.keys('o').await;
    chrome.until("location.pathname === '/'").await;
    assert_eq!(chrome.console().await, [""; 0]);
    chrome.end().await;
}

const FOCUSED: &str =
    "return document.activeElement.closest('tr')?.querySelector('a')?.href ?? '';";
