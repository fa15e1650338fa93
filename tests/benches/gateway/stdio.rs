//! `audit proxy` between a client and a server over stdio: one call after the other.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use audit_tests::bench::{Bench, Options, Sample};
use serde_json::json;

const PROXY: &str = env!("CARGO_BIN_EXE_audit-under-test");
const SERVER: &str = env!("CARGO_BIN_EXE_audit-mcp-server");

/// Adds the server by itself, and behind the proxy with a store in this folder.
pub(crate) fn cases<'a>(bench: Bench<'a>, folder: &Path, options: Options) -> Bench<'a> {
    let n_calls = options.scaled(2_000);
    let mut plain = Session::start(Command::new(SERVER));
    let mut proxy = Command::new(PROXY);
    proxy
        .arg("proxy")
        .arg("--store")
        .arg(format!("sqlite:{}", folder.join("stdio.db").display()))
        .args(["--", SERVER])
        .env("XDG_DATA_HOME", folder)
        .env_remove("AUDIT_LOG");
    let mut audited = Session::start(proxy);
    bench
        .case("stdio_plain", move || plain.round(n_calls))
        .case_vs("stdio_audited", "stdio_plain", move || {
            audited.round(n_calls)
        })
}

/// A server that was greeted.
struct Session {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    line: String,
    n_sent: usize,
}

impl Session {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the programs are built with the bench");
        let stdout = child.stdout.take().expect("it is a pipe");
        let mut session = Self {
            stdin: child.stdin.take(),
            stdout: BufReader::new(stdout),
            child,
            line: String::new(),
            n_sent: 0,
        };
        let params = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": { "name": "bench", "version": "1" },
        });
        session.send(
            &json!({ "jsonrpc": "2.0", "id": "i", "method": "initialize", "params": params }),
        );
        session.receive();
        session.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        session
    }

    /// Each call is sent when the one before it was answered.
    fn round(&mut self, n_calls: usize) -> Sample {
        let text = "a question of a usual length, about nothing in particular ".repeat(4);
        let mut took = Vec::with_capacity(n_calls);
        for _ in 0..n_calls {
            self.n_sent += 1;
            let params = json!({ "name": "echo", "arguments": { "text": text } });
            let call = json!({
                "jsonrpc": "2.0", "id": self.n_sent, "method": "tools/call", "params": params,
            });
            let begin = Instant::now();
            self.send(&call);
            self.receive();
            took.push(begin.elapsed());
        }
        let total = took.iter().sum();
        took.sort_unstable();
        let micros = |percent: usize| took[took.len() * percent / 101].as_secs_f64() * 1e6;
        Sample::new(n_calls, total)
            .with("p50_us", micros(50))
            .with("p99_us", micros(99))
    }

    fn send(&mut self, message: &serde_json::Value) {
        let line = format!("{message}\n");
        let stdin = self.stdin.as_mut().expect("it is open");
        stdin.write_all(line.as_bytes()).expect("the server reads");
    }

    fn receive(&mut self) {
        self.line.clear();
        let n_bytes = self
            .stdout
            .read_line(&mut self.line)
            .expect("the server writes");
        assert!(n_bytes > 0, "the server is gone");
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.stdin = None;
        // It ends by itself, now that its input has.
        drop(self.child.wait());
    }
}
