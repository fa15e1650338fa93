//! The scenario server as a process: what the proxy's tests rely on.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

struct Server(Child);

impl Server {
    fn start() -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_audit-mcp-server"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .env("SECRET_OF_THE_SERVER", "hunter2")
            .spawn();
        Self(child.unwrap())
    }

    fn send(&mut self, message: &Value) {
        writeln!(self.0.stdin.as_mut().unwrap(), "{message}").unwrap();
    }

    fn call(&mut self, id: u32, tool: &str) {
        let params = json!({ "name": tool, "arguments": {} });
        let call = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
        self.send(&call);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have died before.
        drop(self.0.kill());
        self.0.wait().unwrap();
    }
}

#[test]
fn the_server_answers_over_stdio_and_dies_in_the_middle_of_a_call() {
    let mut server = Server::start();
    let mut lines = BufReader::new(server.0.stdout.take().unwrap()).lines();
    let mut read =
        || -> Option<Value> { Some(serde_json::from_str(&lines.next()?.unwrap()).unwrap()) };

    let client = json!({ "name": "test", "version": "1" });
    let handshake =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
    server.send(&json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": handshake }));
    assert_eq!(read().unwrap()["result"]["serverInfo"]["name"], "scenario");
    server.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));

    server.call(1, "fail");
    assert_eq!(read().unwrap()["result"]["isError"], true);
    server.call(2, "env");
    let environment = read().unwrap();
    let text = environment["result"]["content"][0]["text"]
        .as_str()
        .unwrap();
    assert!(text.contains("SECRET_OF_THE_SERVER"), "{text}");
    server.call(3, "die");
    assert!(read().is_none(), "it died without an answer");
    assert_eq!(server.0.wait().unwrap().code(), Some(3));
}
