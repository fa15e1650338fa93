use std::time::Duration;

use axum::http::{StatusCode, header};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::Stand;

/// A client of the live stream, on a connection of its own; it reads only when the test does.
#[derive(Debug)]
pub(crate) struct Listener {
    body: Incoming,
    buffer: String,
    connection: JoinHandle<()>,
}

/// One message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) id: Option<String>,
    pub(crate) event: String,
    pub(crate) data: String,
}

impl Listener {
    /// Connects with a token, and where to go on.
    pub(crate) async fn connect(
        stand: &Stand,
        token: &str,
        query: &str,
        last_event_id: Option<&str>,
    ) -> Result<Self, (StatusCode, String)> {
        let stream = TcpStream::connect(stand.address).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(async move {
            // Whether it ends well is the test's question.
            let _ = connection.await.is_ok();
        });
        let path = format!("/api/v1/events/stream{query}");
        let mut request = axum::http::Request::get(path)
            .header(header::HOST, stand.address.to_string())
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        let response = sender.send_request(request).await.unwrap();
        let status = response.status();
        let body = response.into_body();
        if status != StatusCode::OK {
            let text = body.collect().await.unwrap().to_bytes();
            return Err((status, String::from_utf8(text.to_vec()).unwrap()));
        }
        Ok(Self {
            body,
            buffer: String::new(),
            connection,
        })
    }

    /// The next message; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some((message, rest)) = self.buffer.split_once("\n\n") {
                let message = read(message);
                self.buffer = rest.to_owned();
                match message {
                    Some(message) => return Some(message),
                    None => continue,
                }
            }
            let frame = tokio::time::timeout(Duration::from_secs(60), self.body.frame())
                .await
                .expect("a message within a minute")?;
            let data = frame.ok()?.into_data().unwrap();
            self.buffer.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    /// The next message of this kind; the others are passed over.
    pub(crate) async fn next_of(&mut self, event: &str) -> Message {
        loop {
            let message = self.next().await.expect("the stream goes on");
            if message.event == event {
                return message;
            }
        }
    }

    /// The ids of the next events.
    pub(crate) async fn ids(&mut self, n: usize) -> Vec<String> {
        let mut ids = Vec::new();
        while ids.len() < n {
            ids.push(self.next_of("audit").await.event_id());
        }
        ids
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Message {
    /// The id of the event that it tells.
    pub(crate) fn event_id(&self) -> String {
        let data: serde_json::Value = serde_json::from_str(&self.data).unwrap();
        data["id"].as_str().unwrap().to_owned()
    }
}

/// A message, unless it is a comment or a setting.
fn read(text: &str) -> Option<Message> {
    let mut message = Message::default();
    for line in text.lines() {
        match line.split_once(": ") {
            Some(("id", id)) => message.id = Some(id.to_owned()),
            Some(("event", event)) => event.clone_into(&mut message.event),
            Some(("data", data)) => data.clone_into(&mut message.data),
            _ => {}
        }
    }
    (!message.event.is_empty()).then_some(message)
}
