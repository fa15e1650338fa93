//! Pages of others, open in the same browser as the dashboard.

use audit_web::access::Scope;
use axum::Router;
use axum::response::Html;
use axum::routing::get;
use tokio::net::TcpListener;

use super::chrome::Chrome;
use super::recorded;
use super::site::Site;

/// A page that does what it can to the site; it says how each attempt ended.
fn attacks(target: &str) -> String {
    format!(
        r#"<!doctype html><title>Other</title><p id=done></p>
        <iframe name=hidden></iframe>
        <form id=out method=post action="{target}/logout" target=hidden></form>
        <form id=in method=post action="{target}/login" target=hidden><input name=token value=x></form>
        <script>
        const tries = [
            fetch("{target}/api/v1/events", {{credentials: "include"}}),
            fetch("{target}/api/v1/events", {{method: "POST", credentials: "include", mode: "no-cors", body: "[]"}})
                .then(it => {{ if (it.type !== "opaque") throw it; return it.text(); }}),
            fetch("{target}/logout", {{method: "POST", credentials: "include", mode: "no-cors"}})
                .then(it => it.text()),
            new Promise((done, failed) => {{
                const frame = document.createElement("iframe");
                frame.src = "{target}/explore";
                frame.onload = () => {{ try {{ done(frame.contentDocument.body.textContent); }} catch (it) {{ failed(it); }} }};
                document.body.append(frame);
            }}),
        ];
        document.getElementById("out").submit();
        setTimeout(() => document.getElementById("in").submit());
        Promise.allSettled(tries).then(all => {{
            document.getElementById("done").textContent = all
                .map(it => it.status === "fulfilled" && it.value ? "read" : "nothing").join(" ");
        }});
        </script>"#
    )
}

/// Serves a page of somebody else, and gives back where.
async fn other(page: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let routes = Router::new().route("/", get(move || async move { Html(page) }));
    // It ends with the test's runtime.
    tokio::spawn(async move { axum::serve(listener, routes).await });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_browser_other_sites_read_nothing_and_change_nothing() {
    let site = Site::with(&recorded::calls(3)).await;
    let chrome = Chrome::start().await;
    site.log_in(&chrome, Scope::Admin).await;
    let port = other(attacks(&site.url(""))).await;
    // Another site, and another origin of the same site, to which the browser sends the cookie.
    for host in ["localhost", "127.0.0.1"] {
        chrome.open(&format!("http://{host}:{port}/")).await;
        chrome
            .until("document.getElementById('done').textContent")
            .await;
        let told = chrome.text("#done").await;
        assert_eq!(told, "nothing nothing nothing nothing", "{host}");
        // Nobody was logged out, nor in as somebody else.
        chrome.open(&site.url("/explore")).await;
        assert_eq!(chrome.count("form[action='/logout']").await, 1, "{host}");
    }
    chrome.end().await;
}
