use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use audit_core::payload::CallerCredential;
use audit_mcp::conversation::{Origin, Passage, Side};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use super::stand::{Stand, call, error};

type Fields = BTreeMap<String, String>;

/// What the one span said.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Fields>>);

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let shown = format!("{value:?}").trim_matches('"').to_owned();
        self.0
            .lock()
            .unwrap()
            .insert(field.name().to_owned(), shown);
    }
}

impl Layer<Registry> for Said {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, Registry>) {
        attributes.record(&mut self.clone());
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, Registry>) {
        values.record(&mut self.clone());
    }
}

#[tokio::test]
async fn a_span_names_the_record_and_shows_no_credential() {
    let said = Said::default();
    let subscriber = Registry::default().with(said.clone());
    let _watched = tracing::subscriber::set_default(subscriber);
    let stand = Stand::new();
    let key = CallerCredential::new("correct horse battery");
    let origin = Origin::new().credential(key);
    let frame = call("correct horse battery").to_string();
    let passage = stand
        .conversation
        .pass(Side::Client, frame.as_bytes(), &origin)
        .await;
    assert_eq!(passage, Passage::Forward);
    stand.server(error("correct horse battery", -32602)).await;
    let event = stand.only_event().await;
    let said = said.0.lock().unwrap().clone();
    assert_eq!(said["audit.event.id"], event.id.to_string());
    assert_eq!(said["otel.name"], "tools/call search");
    assert_eq!(said["mcp.method.name"], "tools/call");
    assert_eq!(said["gen_ai.tool.name"], "search");
    assert_eq!(said["jsonrpc.request.id"], "[REDACTED:caller_credential]");
    assert_eq!(said["rpc.response.status_code"], "-32602");
    assert_eq!(said["error.type"], "rpc_error");
    assert_eq!(said["audit.outcome"], "rpc_error");
}
