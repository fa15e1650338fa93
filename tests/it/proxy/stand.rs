//! A server by itself or behind the proxy, a client of it, and the records.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use audit_core::AuditReader as _;
use audit_core::event::AuditEvent;
use audit_core::reader::{Filter, Order, PageRequest};
use audit_sqlite::{SqliteConfig, SqliteReader};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

pub(crate) const PROXY: &str = env!("CARGO_BIN_EXE_audit-under-test");
pub(crate) const SERVER: &str = env!("CARGO_BIN_EXE_audit-mcp-server");

/// A folder with a store in it.
pub(crate) struct Records {
    folder: TempDir,
}

impl Records {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("audit.db")
    }

    /// `audit proxy` with these options, recording here and nowhere else.
    pub(crate) fn proxy(&self, options: &[&str]) -> Command {
        let mut command = Command::new(PROXY);
        command
            .arg("proxy")
            .arg("--store")
            .arg(format!("sqlite:{}", self.path().display()))
            .args(options);
        self.surround(&mut command);
        command
    }

    /// Nothing of the user who runs the tests is in it.
    pub(crate) fn surround(&self, command: &mut Command) {
        command
            .env("XDG_CONFIG_HOME", self.folder.path())
            .env("XDG_DATA_HOME", self.folder.path());
        for variable in [
            "AUDIT_CONFIG",
            "AUDIT_LOG",
            "AUDIT_ON_STORE_FAILURE",
            "AUDIT_OUTPUT",
            "AUDIT_POLICY",
            "AUDIT_SPOOL",
            "AUDIT_STORE",
        ] {
            command.env_remove(variable);
        }
    }

    /// All of them, in the order in which the calls began.
    pub(crate) async fn all(&self) -> Vec<AuditEvent> {
        let reader = SqliteReader::open(&SqliteConfig::new(self.path())).await;
        let reader = reader.expect("the proxy has made a store");
        let request = PageRequest::new(Filter::all()).order(Order::OldestFirst);
        let request = request.limit(1_000).unwrap();
        reader.page_with_payloads(&request).await.unwrap().events
    }

    /// What each says of itself: `tools/call echo ok`.
    pub(crate) async fn in_words(&self) -> Vec<String> {
        self.all().await.iter().map(in_words).collect()
    }

    /// Every byte of every file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut folders = vec![self.folder.path().to_owned()];
        let mut bytes = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => bytes.extend(std::fs::read(path).unwrap()),
                }
            }
        }
        bytes
    }
}

pub(crate) fn in_words(event: &AuditEvent) -> String {
    let tool = event.tool_name.as_ref().map(|tool| format!(" {tool}"));
    format!(
        "{}{} {}",
        event.method,
        tool.unwrap_or_default(),
        event.outcome
    )
}

/// A process that speaks MCP by lines.
pub(crate) struct Session {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
    stderr: ChildStderr,
}

impl Session {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self {
            stdin: child.stdin.take(),
            lines: BufReader::new(child.stdout.take().unwrap()).lines(),
            stderr: child.stderr.take().unwrap(),
            child,
        }
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("it was not closed");
        stdin.write_all(bytes).await.unwrap();
        stdin.flush().await.unwrap();
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        self.write(format!("{message}\n").as_bytes()).await;
    }

    /// The next line; `None` at the end.
    pub(crate) async fn line(&mut self) -> Option<String> {
        soon(self.lines.next_line()).await.unwrap()
    }

    /// The next message.
    pub(crate) async fn next(&mut self) -> Value {
        let line = self.line().await.expect("the server is there");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    pub(crate) async fn shake_hands(&mut self) -> String {
        let client = json!({ "name": "stand", "version": "7" });
        let params = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": { "sampling": {} },
            "clientInfo": client,
        });
        self.send(&json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params }))
            .await;
        let answer = self.line().await.unwrap();
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))
            .await;
        answer
    }

    pub(crate) async fn call(&mut self, id: u64, tool: &str, arguments: Value) {
        self.send(&call(id, tool, arguments)).await;
    }

    /// Nothing more is said to it.
    pub(crate) fn close(&mut self) {
        self.stdin = None;
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok());
        let pid = pid.and_then(rustix::process::Pid::from_raw).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// How it ended, and what stood on its standard error. That ends when every process is gone that
    /// it was shared with: the proxy's server, too.
    pub(crate) async fn ended(mut self) -> (ExitStatus, String) {
        let mut said = String::new();
        let status = soon(self.child.wait()).await.unwrap();
        soon(self.stderr.read_to_string(&mut said)).await.unwrap();
        (status, said)
    }
}

pub(crate) fn call(id: u64, tool: &str, arguments: Value) -> Value {
    let params = json!({ "name": tool, "arguments": arguments });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
}

/// Fails rather than hangs.
pub(crate) async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), work)
        .await
        .expect("this should not take so long")
}
