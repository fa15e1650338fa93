//! A relay between two ends that a test holds.

use std::time::Duration;

use audit_core::event::AuditEvent;
use audit_mcp::relay::{Relay, Relayed};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::task::JoinHandle;

use crate::conversation::stand::Stand;

/// What the test holds of one side.
pub(crate) struct Peer {
    reader: ReadHalf<DuplexStream>,
    writer: WriteHalf<DuplexStream>,
}

pub(crate) struct Wire {
    pub(crate) client: Peer,
    pub(crate) server: Peer,
    relay: JoinHandle<Relayed>,
    stand: Stand,
}

impl Wire {
    /// Pipes that take so many bytes at once.
    pub(crate) fn new(stand: Stand, window: usize, pipe: usize) -> Self {
        let (client, at_client) = tokio::io::duplex(pipe);
        let (server, at_server) = tokio::io::duplex(pipe);
        let relay = Relay::new(stand.conversation.clone()).window(window);
        let relay = tokio::spawn(async move {
            let client = tokio::io::split(at_client);
            let server = tokio::io::split(at_server);
            relay.run(client, server).await
        });
        Self {
            client: Peer::new(client),
            server: Peer::new(server),
            relay,
            stand,
        }
    }

    pub(crate) fn plain() -> Self {
        Self::new(Stand::new(), Relay::DEFAULT_WINDOW, 64 << 10)
    }

    /// The client has no more to say, and the server follows.
    pub(crate) async fn close(mut self) -> (Relayed, Vec<AuditEvent>) {
        self.client.leave().await;
        assert_eq!(self.server.rest().await, b"");
        self.server.leave().await;
        self.end().await
    }

    /// The relay ends by itself.
    pub(crate) async fn end(self) -> (Relayed, Vec<AuditEvent>) {
        let relayed = soon(self.relay).await.unwrap();
        (relayed, self.stand.events().await)
    }

    pub(crate) fn stand(&self) -> &Stand {
        &self.stand
    }
}

impl Peer {
    fn new(stream: DuplexStream) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self { reader, writer }
    }

    pub(crate) fn split(self) -> (ReadHalf<DuplexStream>, WriteHalf<DuplexStream>) {
        (self.reader, self.writer)
    }

    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        soon(self.writer.write_all(bytes.as_ref())).await.unwrap();
    }

    /// Writes a line.
    pub(crate) async fn say(&mut self, line: impl ToString) {
        self.write(format!("{}\n", line.to_string())).await;
    }

    /// These bytes come next.
    pub(crate) async fn hears(&mut self, expected: impl AsRef<[u8]>) {
        let expected = expected.as_ref();
        let mut got = vec![0; expected.len()];
        soon(self.reader.read_exact(&mut got)).await.unwrap();
        assert!(got == expected, "{}", String::from_utf8_lossy(&got));
    }

    /// This line comes next.
    pub(crate) async fn hears_line(&mut self, line: impl ToString) {
        self.hears(format!("{}\n", line.to_string())).await;
    }

    pub(crate) async fn line(&mut self) -> String {
        let mut line = Vec::new();
        loop {
            match soon(self.reader.read_u8()).await.unwrap() {
                b'\n' => return String::from_utf8(line).unwrap(),
                byte => line.push(byte),
            }
        }
    }

    /// All that still comes.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        soon(self.reader.read_to_end(&mut rest)).await.unwrap();
        rest
    }

    pub(crate) async fn leave(&mut self) {
        self.writer.shutdown().await.unwrap();
    }
}

/// Fails a test that hangs, instead of the whole run.
pub(crate) async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), work)
        .await
        .expect("it should not take this long")
}
