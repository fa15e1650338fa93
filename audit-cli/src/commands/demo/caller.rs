//! A caller of the gateway, over HTTP as any other.

use axum::body::Bytes;
use axum::http::{Request, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::failure::Failure;

/// Calls the gateway.
pub(super) struct Caller {
    client: Client<HttpConnector, Full<Bytes>>,
    url: Uri,
}

/// What a caller got.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) text: String,
}

impl Caller {
    pub(super) fn new(url: &str) -> Result<Self, Failure> {
        let url = url
            .parse()
            .map_err(|error| Failure::because("the gateway has no address", &error))?;
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            url,
        })
    }

    /// Sends a message, with a key if there is one, and waits for all of the answer.
    pub(super) async fn send(&self, key: Option<&str>, message: &str) -> Result<Answer, Failure> {
        let failed = |error: &(dyn std::error::Error + 'static)| {
            Failure::because("the gateway did not answer", error)
        };
        let mut request = Request::post(self.url.clone())
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json")
            .header("mcp-protocol-version", "2025-11-25");
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let request = request
            .body(Full::from(message.to_owned()))
            .map_err(|error| failed(&error))?;
        let response = self
            .client
            .request(request)
            .await
            .map_err(|error| failed(&error))?;
        let status = response.status().as_u16();
        let body = response
            .into_body()
            .collect()
            .await
            .map_err(|error| failed(&error))?;
        let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        Ok(Answer { status, text })
    }
}

impl Answer {
    /// The answer as its reader would say it.
    pub(super) fn in_words(&self) -> String {
        let json: Option<Value> = serde_json::from_str(&self.text).ok();
        let said = json.as_ref().and_then(|json| {
            let error = json.pointer("/error/message").and_then(Value::as_str);
            let text = json
                .pointer("/result/content/0/text")
                .and_then(Value::as_str);
            let is_error = json.pointer("/result/isError") == Some(&Value::Bool(true));
            match (error, text) {
                (Some(error), _) => Some(format!("error: {error}")),
                (None, Some(text)) if is_error => Some(format!("the tool failed: {text}")),
                (None, text) => text.map(str::to_owned),
            }
        });
        format!(
            "{} {}",
            self.status,
            said.unwrap_or_else(|| self.text.clone())
        )
    }
}
