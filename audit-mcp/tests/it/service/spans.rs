//! The span of a call, under the names of OpenTelemetry.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use audit_core::payload::CallerCredential;
use audit_mcp::Audited;
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use super::scene::{Era, Scene};

type Fields = BTreeMap<String, String>;

/// What spans named `mcp_call` said, by their ids, in the order in which they were opened.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<BTreeMap<u64, Fields>>>);

impl Spans {
    fn watch() -> (Self, DefaultGuard) {
        let spans = Self::default();
        let subscriber = Registry::default().with(spans.clone());
        (spans, tracing::subscriber::set_default(subscriber))
    }

    fn last(&self) -> Fields {
        let spans = self.0.lock().unwrap();
        spans.values().last().expect("a span").clone()
    }
}

struct Visitor<'a>(&'a mut Fields);

impl Visit for Visitor<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let shown = format!("{value:?}");
        self.0
            .insert(field.name().to_owned(), shown.trim_matches('"').to_owned());
    }
}

impl Layer<Registry> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, Registry>) {
        if attributes.metadata().name() == "mcp_call" {
            let mut fields = Fields::new();
            attributes.record(&mut Visitor(&mut fields));
            self.0.lock().unwrap().insert(id.into_u64(), fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, Registry>) {
        if let Some(fields) = self.0.lock().unwrap().get_mut(&id.into_u64()) {
            values.record(&mut Visitor(fields));
        }
    }
}

#[tokio::test]
async fn a_span_names_the_record_and_the_call() {
    let (spans, _watched) = Spans::watch();
    for (era, version) in [(Era::Earlier, "2025-11-25"), (Era::Later, "2026-07-28")] {
        let scene = Scene::open(era).await;
        scene.call("fail", json!({})).await.unwrap();
        let record = scene.record().await;
        let span = spans.last();
        assert_eq!(span["audit.event.id"], record.id.to_string());
        assert_eq!(span["otel.name"], "tools/call fail");
        assert_eq!(span["otel.kind"], "server");
        assert_eq!(span["mcp.method.name"], "tools/call");
        assert_eq!(span["gen_ai.operation.name"], "execute_tool");
        assert_eq!(span["gen_ai.tool.name"], "fail");
        assert_eq!(
            span["jsonrpc.request.id"],
            record.request_id.as_ref().unwrap().as_str()
        );
        assert_eq!(span["mcp.protocol.version"], version);
        assert_eq!(span["error.type"], "tool_error");
        assert!(!span.contains_key("rpc.response.status_code"));
    }
}

#[tokio::test]
async fn an_error_of_json_rpc_has_its_code_in_the_span() {
    let (spans, _watched) = Spans::watch();
    let scene = Scene::open(Era::Earlier).await;
    scene
        .call("error", json!({ "code": -32042 }))
        .await
        .unwrap_err();
    let span = spans.last();
    assert_eq!(span["rpc.response.status_code"], "-32042");
    assert_eq!(span["error.type"], "rpc_error");
    scene.client.list_tools(None).await.unwrap();
    let span = spans.last();
    assert_eq!(span["otel.name"], "tools/list");
    for absent in ["error.type", "gen_ai.tool.name", "gen_ai.operation.name"] {
        assert!(!span.contains_key(absent), "{span:?}");
    }
}

#[tokio::test]
async fn the_callers_key_is_in_no_span() {
    const KEY: &str = "correct-horse-battery-staple";
    let (spans, _watched) = Spans::watch();
    let scene = Scene::with(Era::Earlier, |server, logger| {
        Audited::new(server, logger)
            .identify(|_, draft| draft.credential(CallerCredential::new(KEY)))
    })
    .await;
    scene.call(KEY, json!({})).await.unwrap_err();
    let shown = format!("{:?}", spans.last());
    assert!(!shown.contains(KEY), "{shown}");
    assert!(shown.contains("[REDACTED:caller_credential]"), "{shown}");
}
