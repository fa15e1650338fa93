//! Who is let in, and what they are shown.

use audit_core::AuditReader as _;
use audit_core::reader::{Filter, PageRequest};
use audit_web::access::Scope;

use super::chrome::Chrome;
use super::recorded;
use super::site::Site;

#[tokio::test(flavor = "multi_thread")]
async fn needs_browser_only_valid_tokens_are_let_in_and_logging_out_ends_it() {
    let site = Site::with(&recorded::calls(3)).await;
    let chrome = Chrome::start().await;
    // Nobody yet: every page leads to the login.
    chrome.open(&site.url("/explore?q=since:7d")).await;
    chrome.until("location.pathname === '/login'").await;
    chrome.fill("input[name=token]", "audit_0000").await;
    chrome.click("main form button").await;
    chrome.until("document.querySelector('[role=alert]')").await;
    assert_eq!(chrome.run("return document.cookie;").await, "");

    site.log_in(&chrome, Scope::Viewer).await;
    // No script can read the cookie, and it is bound to this host.
    assert_eq!(chrome.run("return document.cookie;").await, "");
    let cookies = chrome.client.get_all_cookies().await.unwrap();
    let cookie = cookies
        .iter()
        .find(|cookie| cookie.name().starts_with("__Host-"));
    let cookie = cookie.expect("it is a cookie of the host");
    assert_eq!(cookie.http_only(), Some(true));
    assert_eq!(cookie.secure(), Some(true));
    assert_eq!(cookie.path(), Some("/"));
    assert!(
        !chrome
            .client
            .current_url()
            .await
            .unwrap()
            .as_str()
            .contains("audit_")
    );

    chrome.click("form[action='/logout'] button").await;
    chrome.until("location.pathname === '/login'").await;
    // The cookie is worth nothing any more, even if somebody kept it.
    chrome.client.add_cookie(cookie.clone()).await.unwrap();
    chrome.open(&site.url("/explore")).await;
    chrome.until("location.pathname === '/login'").await;
    chrome.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_browser_each_scope_is_shown_what_it_may_see() {
    let site = Site::with(&recorded::calls(3)).await;
    let newest = PageRequest::new(Filter::all()).limit(1).unwrap();
    let newest = site.store.reader().page(&newest).await.unwrap().events[0].id;
    for (scope, sees_payloads, sees_system) in [
        (Scope::Viewer, false, false),
        (Scope::Auditor, true, false),
        (Scope::Admin, true, true),
    ] {
        let chrome = Chrome::start().await;
        site.log_in(&chrome, scope).await;
        chrome.open(&site.url(&format!("/event/{newest}"))).await;
        let page = chrome.text("main").await;
        assert_eq!(
            page.contains("rather long"),
            sees_payloads,
            "{scope}: {page}"
        );
        assert!(page.contains("Decision"), "{scope}: {page}");
        chrome.open(&site.url("/system")).await;
        let title = chrome.text("h1").await;
        assert_eq!(title == "System", sees_system, "{scope}: {title}");
        let linked = chrome.count("nav a[href='/system']").await == 1;
        assert_eq!(linked, sees_system, "{scope}");
        chrome.end().await;
    }
    // A token for gateways opens no page.
    let chrome = Chrome::start().await;
    chrome.open(&site.url("/login")).await;
    let token = site.token(Scope::Ingest);
    chrome.fill("input[name=token]", token.reveal()).await;
    chrome.click("main form button").await;
    chrome
        .until("location.pathname === '/' || document.querySelector('[role=alert]')")
        .await;
    assert_eq!(chrome.count("nav a[href^='/explore']").await, 0);
    chrome.end().await;
}
