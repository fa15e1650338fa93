//! Without JavaScript: asking, paging and reading work all the same.

use audit_web::access::Scope;

use super::chrome::{Chrome, Setup};
use super::recorded;
use super::site::Site;

#[tokio::test(flavor = "multi_thread")]
async fn needs_browser_the_dashboard_works_without_scripts() {
    let site = Site::with(&recorded::calls(130)).await;
    let chrome = Chrome::start_with(Setup {
        has_scripts: false,
        ..Setup::default()
    })
    .await;
    site.log_in(&chrome, Scope::Auditor).await;
    chrome.click("nav a[href^='/explore']").await;
    chrome.fill("#q", "since:7d").await;
    chrome.click("form.ask button.main").await;
    chrome.until_count("table.events tbody tr", 100).await;

    // The rest is on the next page, and the way back leads to the first.
    chrome.click("a[rel=next]").await;
    chrome.until_count("table.events tbody tr", 30).await;
    chrome.click("a[rel=prev]").await;
    chrome.until_count("table.events tbody tr", 100).await;

    // A filter that is none says where.
    chrome.fill("#q", "outcom:denied").await;
    chrome.click("form.ask button.main").await;
    let problem = chrome.text("#q-problem").await;
    assert!(problem.contains("outcome"), "{problem}");

    // From the overview to the events that were counted, and to one of them.
    chrome.click("nav a[href='/']").await;
    chrome.click("a[href*='delete_customer']").await;
    chrome.click("table.events tbody a").await;
    let page = chrome.text("main:has(#event)").await;
    for words in ["Decision", "allowed", "password"] {
        assert!(page.contains(words), "{words} is not in {page}");
    }
    assert!(!page.contains("hunter"), "{page}");
    chrome.end().await;
}
