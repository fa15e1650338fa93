//! Every page, in both themes and on a narrow screen: whole, quiet and readable.

use audit_web::access::Scope;
use serde_json::Value;

use super::chrome::{Chrome, Theme};
use super::recorded;
use super::site::Site;

/// Every page that a person can come to.
pub(super) async fn pages(site: &Site) -> Vec<String> {
    let events = recorded_ids(site).await;
    let (newest, session) = events.first().expect("there are events").clone();
    vec![
        "/".to_owned(),
        "/explore".to_owned(),
        "/explore?q=outcome:denied+since:7d&order=oldest&n=50".to_owned(),
        format!("/explore?q=since:7d&event={newest}"),
        "/explore?q=latency:fast".to_owned(),
        "/explore/counts?q=since:7d".to_owned(),
        format!("/event/{newest}"),
        "/live".to_owned(),
        "/system".to_owned(),
        "/tool?name=search".to_owned(),
        "/key?name=k_1".to_owned(),
        format!("/session?name={session}"),
        "/nowhere".to_owned(),
    ]
}

async fn recorded_ids(site: &Site) -> Vec<(String, String)> {
    use audit_core::AuditReader as _;
    use audit_core::reader::{Filter, PageRequest};
    let request = PageRequest::new(Filter::all());
    let page = site.store.reader().page(&request).await.unwrap();
    let events = page.events.into_iter();
    let both = |event: audit_core::event::EventSummary| {
        let session = event.session_id.as_ref()?.to_string();
        Some((event.id.to_string(), session))
    };
    events.filter_map(both).collect()
}

/// The findings of axe-core that are serious or worse, each with the elements that have it.
async fn findings(chrome: &Chrome) -> Vec<String> {
    let folder = std::env::var_os("AUDIT_TEST_WEB").unwrap_or_else(|| "target/web".into());
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let path = root.join(folder).join("node_modules/axe-core/axe.min.js");
    let axe = std::fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!("{}: {error} (.ci/install-web installs it)", path.display())
    });
    let script = format!(
        "{axe}; const done = arguments[arguments.length - 1];
         axe.run(document, {{resultTypes: ['violations']}})
            .then(it => done(it.violations), error => done(String(error)));"
    );
    let found = chrome
        .client
        .execute_async(&script, Vec::new())
        .await
        .unwrap();
    let found = found
        .as_array()
        .unwrap_or_else(|| panic!("axe failed: {found}"));
    let is_serious = |it: &&Value| it["impact"] == "serious" || it["impact"] == "critical";
    let in_words = |it: &Value| {
        let nodes = it["nodes"].as_array().into_iter().flatten();
        let places: Vec<_> = nodes.map(|node| node["html"].to_string()).collect();
        format!("{}: {}", it["id"], places.join(" | "))
    };
    found.iter().filter(is_serious).map(in_words).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_browser_every_page_is_accessible_and_quiet_in_both_themes() {
    let site = Site::with(&recorded::calls(150)).await;
    let chrome = Chrome::start().await;
    for path in ["/login", "/explore"] {
        chrome.open(&site.url(path)).await;
        assert_eq!(findings(&chrome).await, [""; 0], "{path}");
    }
    site.log_in(&chrome, Scope::Admin).await;
    chrome.console().await;
    let mut faults = Vec::new();
    for theme in [Theme::Light, Theme::Dark] {
        chrome.prefer(theme).await;
        for path in pages(&site).await {
            chrome.open(&site.url(&path)).await;
            chrome.until("document.readyState === 'complete'").await;
            assert!(
                !chrome.text("h1, h2").await.is_empty() || path == "/explore",
                "{path}"
            );
            let is_expected =
                |line: &String| line.contains("Failed to load resource") && line.contains(&path);
            let said = chrome
                .console()
                .await
                .into_iter()
                .filter(|line| !is_expected(line));
            faults.extend(said.map(|line| format!("{theme:?} {path} console {line}")));
            let found = findings(&chrome).await.into_iter();
            faults.extend(found.map(|line| format!("{theme:?} {path} {line}")));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    chrome.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_browser_a_dark_theme_is_dark_and_a_choice_outweighs_the_system() {
    let site = Site::with(&recorded::calls(5)).await;
    let chrome = Chrome::start().await;
    site.log_in(&chrome, Scope::Viewer).await;
    let brightness = "return getComputedStyle(document.body).backgroundColor.match(/\\d+/g)
        .slice(0, 3).reduce((sum, part) => sum + Number(part), 0);";
    chrome.prefer(Theme::Light).await;
    let light = chrome.run(brightness).await.as_u64().unwrap();
    chrome.prefer(Theme::Dark).await;
    let dark = chrome.run(brightness).await.as_u64().unwrap();
    assert!(light > 600 && dark < 200, "{light} {dark}");
    chrome.prefer(Theme::Light).await;
    chrome
        .click("form[action='/theme'] button[value=dark]")
        .await;
    chrome
        .until("document.documentElement.dataset.theme === 'dark'")
        .await;
    assert_eq!(chrome.run(brightness).await.as_u64(), Some(dark));
    chrome.open(&site.url("/explore")).await;
    assert_eq!(chrome.run(brightness).await.as_u64(), Some(dark));
    chrome.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_browser_no_page_scrolls_sideways_on_a_narrow_screen() {
    let site = Site::with(&recorded::calls(60)).await;
    let chrome = Chrome::start().await;
    site.log_in(&chrome, Scope::Admin).await;
    chrome.resize((320, 640)).await;
    let mut wide = Vec::new();
    for path in pages(&site).await {
        chrome.open(&site.url(&path)).await;
        let width = "return document.documentElement.scrollWidth;";
        let width = chrome.run(width).await.as_u64().unwrap();
        if width > 320 {
            wide.push((path, width));
        }
    }
    assert!(wide.is_empty(), "{wide:?}");
    chrome.end().await;
}
