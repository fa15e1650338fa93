//! Stored text that wants to be more than text.

use audit_web::access::Scope;
use serde_json::json;

use super::chrome::Chrome;
use super::recorded;
use super::site::Site;

/// Each leaves a mark in the page if it ever runs.
const SCRIPTS: [&str; 12] = [
    "<script>window.ran=1</script>",
    "<img src=x onerror=window.ran=1>",
    "\"><svg onload=window.ran=1>",
    "' onfocus=window.ran=1 autofocus '",
    "javascript:window.ran=1",
    "</textarea></title><script>window.ran=1</script>",
    "<iframe srcdoc='<script>parent.ran=1</script>'></iframe>",
    "{{constructor.constructor('window.ran=1')()}}",
    "${window.ran=1}",
    "<a href=javascript:window.ran=1>x</a>",
    "<style>@import'//127.0.0.1:1/x'</style>",
    "<meta http-equiv=refresh content=0;url=//127.0.0.1:1/>",
];

fn texts() -> Vec<String> {
    let mut texts: Vec<String> = SCRIPTS.map(str::to_owned).into();
    let folder = std::env::var_os("AUDIT_CORPORA").filter(|folder| !folder.is_empty());
    if let Some(folder) = folder {
        let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let path = root.join(folder).join("blns.json");
        let naughty = std::fs::read(path).expect("AUDIT_CORPORA holds blns.json");
        let naughty: Vec<String> = serde_json::from_slice(&naughty).unwrap();
        texts.extend(naughty.into_iter().filter(|text| !text.is_empty()));
    }
    texts
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_browser_stored_text_is_shown_and_never_runs() {
    let events = recorded::named(&texts());
    let site = Site::with(&events).await;
    let chrome = Chrome::start().await;
    site.log_in(&chrome, Scope::Admin).await;
    chrome.console().await;
    let filter = |text: &str| {
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("name", text)
            .finish()
    };
    let mut paths = vec![
        "/".to_owned(),
        "/explore?n=200".to_owned(),
        "/explore/counts?q=since:1d".to_owned(),
        "/live".to_owned(),
    ];
    for (text, event) in SCRIPTS.iter().zip(&events) {
        paths.push(format!("/event/{}", event.id));
        for kind in ["tool", "key", "session"] {
            paths.push(format!("/{kind}?{}", filter(text)));
        }
    }
    for event in events.iter().skip(SCRIPTS.len()) {
        paths.push(format!("/event/{}", event.id));
    }
    for path in paths {
        chrome.open(&site.url(&path)).await;
        chrome.until("document.readyState === 'complete'").await;
        let marks = chrome
            .run(
                "return [window.ran ?? null,
                    document.querySelectorAll('script:not([src]), iframe, img, style, [style], base').length,
                    [...document.querySelectorAll('*')].flatMap(it => [...it.attributes])
                        .filter(it => it.name.startsWith('on') || /^\\s*javascript:/i.test(it.value) && it.name !== 'value' && it.name !== 'content').length,
                    location.pathname];",
            )
            .await;
        let own = path.split('?').next().unwrap();
        assert_eq!(marks, json!([null, 0, 0, own]), "{path}");
        assert_eq!(chrome.console().await, [""; 0], "{path}");
    }
    // It is there to be read all the same.
    let page = format!("/event/{}", events[0].id);
    chrome.open(&site.url(&page)).await;
    let shown = chrome.text("main").await;
    assert!(shown.contains(SCRIPTS[0]), "{shown}");
    chrome.end().await;
}
