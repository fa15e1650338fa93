//! A real browser: Chromium without a window, driven through its WebDriver.

use std::process::Stdio;
use std::time::Duration;

use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use url::{ParseError, Url};

/// How long a page may take to become what a test waits for, on a machine with other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser of its own: no cookies, no history. It ends with the test.
pub(crate) struct Chrome {
    pub(crate) client: Client,
    /// Ended by force with the test; the browser at the other end of its pipe then ends by itself.
    _driver: Child,
}

/// How a browser is set up.
#[derive(Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) has_scripts: bool,
    pub(crate) size: (u32, u32),
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            has_scripts: true,
            size: (1280, 900),
        }
    }
}

/// Which colors the user's system prefers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Theme {
    Dark,
    Light,
}

impl Chrome {
    pub(crate) async fn start() -> Self {
        Self::start_with(Setup::default()).await
    }

    pub(crate) async fn start_with(setup: Setup) -> Self {
        let (driver, port) = start_driver().await;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = ClientBuilder::new(connector)
            .capabilities(capabilities(setup))
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("chromium starts (Debian: apt-get install chromium chromium-driver)");
        let chrome = Self {
            client,
            _driver: driver,
        };
        chrome.resize(setup.size).await;
        chrome
    }

    /// Makes the page as large as this, which a window cannot be below 500 pixels.
    pub(crate) async fn resize(&self, (width, height): (u32, u32)) {
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.developer("Emulation.setDeviceMetricsOverride", metrics)
            .await;
    }

    pub(crate) async fn prefer(&self, theme: Theme) {
        let value = match theme {
            Theme::Dark => "dark",
            Theme::Light => "light",
        };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": value}]});
        self.developer("Emulation.setEmulatedMedia", media).await;
    }

    pub(crate) async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// Runs the body of a function in the page, and gives back what it returns.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// Waits until the expression is true in the page.
    pub(crate) async fn until(&self, expression: &str) {
        let script = format!("return !!({expression});");
        let wait = async {
            // A page that is being left answers nothing.
            while self.client.execute(&script, Vec::new()).await.ok() != Some(Value::Bool(true)) {
                tokio::task::yield_now().await;
            }
        };
        if tokio::time::timeout(PATIENCE, wait).await.is_err() {
            let source = self.client.source().await.unwrap_or_default();
            panic!("in vain waited for: {expression}\n{source}");
        }
    }

    /// The text that a reader sees of the first such element, as soon as there is one.
    pub(crate) async fn text(&self, css: &str) -> String {
        let wait = self.client.wait().at_most(PATIENCE);
        let element = wait.for_element(Locator::Css(css)).await;
        let element = element.unwrap_or_else(|error| panic!("no {css}: {error}"));
        element.text().await.unwrap()
    }

    /// Waits until there are so many such elements: a click does not wait for the page that follows.
    pub(crate) async fn until_count(&self, css: &str, n: usize) {
        let wait = async {
            while self.count(css).await != n {
                tokio::task::yield_now().await;
            }
        };
        if tokio::time::timeout(PATIENCE, wait).await.is_err() {
            panic!("{} of {css}, not {n}", self.count(css).await);
        }
    }

    /// How many such elements there are.
    pub(crate) async fn count(&self, css: &str) -> usize {
        let found = self.client.find_all(Locator::Css(css)).await.unwrap();
        found.len()
    }

    /// Writes into the first such field, as soon as there is one, instead of what it says.
    pub(crate) async fn fill(&self, css: &str, text: &str) {
        let wait = self.client.wait().at_most(PATIENCE);
        let field = wait.for_element(Locator::Css(css)).await;
        let field = field.unwrap_or_else(|error| panic!("no {css}: {error}"));
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Clicks the first such element that can be seen, as soon as there is one.
    pub(crate) async fn click(&self, css: &str) {
        let wait = self.client.wait().at_most(PATIENCE);
        let first = wait.for_element(Locator::Css(css)).await;
        first.unwrap_or_else(|error| panic!("no {css}: {error}"));
        let found = self.client.find_all(Locator::Css(css)).await.unwrap();
        for element in found {
            if element.is_displayed().await.unwrap() {
                return element.click().await.unwrap();
            }
        }
        panic!(
            "no {css} to click at in {}",
            self.client.source().await.unwrap()
        );
    }

    /// Presses a key, wherever the focus is.
    pub(crate) async fn keys(&self, key: impl Into<char>) {
        let value = key.into();
        let presses = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value });
        self.client.perform_actions(presses).await.unwrap();
    }

    /// What the console says since it was last asked: errors of scripts, refusals by the policy.
    pub(crate) async fn console(&self) -> Vec<String> {
        let entries = self.client.issue_cmd(ConsoleLog).await.unwrap();
        let entries = entries.as_array().cloned().unwrap_or_default();
        let text = |entry: &Value| format!("{} {}", entry["level"], entry["message"]);
        entries.iter().map(text).collect()
    }

    /// A command of the browser's own protocol, for what WebDriver does not know.
    pub(crate) async fn developer(&self, command: &'static str, parameters: Value) -> Value {
        let command = Developer {
            command,
            parameters,
        };
        self.client.issue_cmd(command).await.unwrap()
    }

    pub(crate) async fn end(self) {
        self.client.clone().close().await.unwrap();
    }
}

async fn start_driver() -> (Child, u16) {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("chromedriver is there (Debian: apt-get install chromium-driver)");
    let output = driver.stdout.take().expect("it was asked for");
    let mut lines = BufReader::new(output).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        let port = line.split("successfully on port ").nth(1);
        if let Some(port) = port.and_then(|rest| rest.trim_end_matches('.').parse().ok()) {
            // It writes on, and must not find its pipe closed.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return (driver, port);
        }
    }
    panic!("chromedriver ended without a word of its port");
}

fn capabilities(setup: Setup) -> Capabilities {
    let mut arguments = vec![
        "--headless=new",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--remote-debugging-pipe",
        "--force-prefers-reduced-motion",
        // Nothing but the server under test is there to be asked.
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-features=OptimizationHints,MediaRouter",
    ];
    // Chromium refuses to sandbox what root runs; in a container there may be nobody else.
    if rustix::process::geteuid().is_root() {
        arguments.push("--no-sandbox");
    }
    let scripts = if setup.has_scripts { 1 } else { 2 };
    let options = json!({
        "browserName": "chrome",
        "goog:chromeOptions": {
            "args": arguments,
            "prefs": {"profile.managed_default_content_settings.javascript": scripts},
        },
        "goog:loggingPrefs": {"browser": "ALL"},
        "unhandledPromptBehavior": "ignore",
    });
    options.as_object().cloned().expect("it is an object")
}

#[derive(Debug)]
struct ConsoleLog;

impl WebDriverCompatibleCommand for ConsoleLog {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({"type": "browser"}).to_string()))
    }
}

#[derive(Debug)]
struct Developer {
    command: &'static str,
    parameters: Value,
}

impl WebDriverCompatibleCommand for Developer {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        let session = session.unwrap_or_default();
        base.join(&format!("session/{session}/goog/cdp/execute"))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let body = json!({"cmd": self.command, "params": self.parameters});
        (Method::POST, Some(body.to_string()))
    }
}
