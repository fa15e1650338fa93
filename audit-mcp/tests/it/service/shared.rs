//! Calls that an HTTP layer has begun.

use audit_core::event::{
    ApiKeyId, Client, ClientAddress, Decision, EventDraft, Method, Outcome, Verdict,
};
use audit_core::logger::SharedCall;
use audit_mcp::Audited;
use rmcp::Service;
use rmcp::model::{CallToolRequest, ClientRequest, Extensions, Implementation, NumberOrString};
use rmcp::service::{RequestContext, RoleServer, serve_directly};
use serde_json::json;

use super::scene::{Era, Scene, call, logger, outcomes, soon};

struct Layer {
    scene: Scene,
    call: SharedCall,
}

impl Layer {
    async fn begin() -> Self {
        let scene = Scene::open(Era::Earlier).await;
        let draft = EventDraft::new(Method::new("POST /mcp").unwrap())
            .api_key_id(ApiKeyId::new("k_7").unwrap())
            .decision(Decision::allowed())
            .client(Client::new().address(ClientAddress::lossy("192.0.2.7")));
        let call = logger(&scene.store).begin(draft).await.unwrap();
        Self {
            scene,
            call: SharedCall::new(call),
        }
    }

    async fn request(&self, tool: &'static str, extend: impl FnOnce(&mut Extensions)) {
        let (server_end, _) = tokio::io::duplex(4096);
        let peer =
            serve_directly::<RoleServer, _, _, _, _>(self.scene.server.clone(), server_end, None);
        let mut context = RequestContext::new(NumberOrString::Number(7), peer.peer().clone());
        let program = Implementation::new("inspector", "2.1");
        context.meta.set_client_info(program);
        extend(&mut context.extensions);
        let audited = Audited::new(self.scene.server.clone(), logger(&self.scene.store));
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(call(tool, &json!({}))));
        let _answer = audited.handle_request(request, context).await;
    }
}

fn http(call: &SharedCall) -> http::request::Parts {
    let request = http::Request::post("/mcp").header("mcp-session-id", "a-session-of-somebody");
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    parts.extensions.insert(call.clone());
    parts
}

#[tokio::test]
async fn a_call_that_another_layer_began_is_completed_and_not_ended() {
    let layer = Layer::begin().await;
    layer
        .request("fail", |extensions| {
            extensions.insert(layer.call.clone());
        })
        .await;
    layer.scene.records(0).await;
    assert!(layer.call.is_claimed());
    assert_eq!(layer.call.said(), Some(Outcome::ToolError));

    let recorded = layer.call.finish(Outcome::Ok).unwrap();
    soon(recorded).await.unwrap();
    let record = layer.scene.record().await;
    assert_eq!(record.id, layer.call.id());
    assert_eq!(record.outcome, Outcome::ToolError);
    assert_eq!(record.method.as_str(), "tools/call");
    assert_eq!(record.tool_name.as_ref().unwrap().as_str(), "fail");
    assert_eq!(record.request_id.as_ref().unwrap().as_str(), "7");
    assert_eq!(record.client.name.as_ref().unwrap().as_str(), "inspector");
    // What the other layer said stays.
    assert_eq!(record.api_key_id.as_ref().unwrap().as_str(), "k_7");
    assert_eq!(record.decision.auth.verdict, Verdict::Allowed);
    assert_eq!(
        record.client.address.as_ref().unwrap().as_str(),
        "192.0.2.7"
    );
    assert!(record.request().is_some() && record.response().is_some());
}

#[tokio::test]
async fn it_is_found_in_the_http_request_too() {
    let layer = Layer::begin().await;
    layer
        .request("echo", |extensions| {
            extensions.insert(http(&layer.call));
        })
        .await;
    soon(layer.call.finish(Outcome::InternalError).unwrap())
        .await
        .unwrap();
    let record = layer.scene.record().await;
    assert_eq!(record.outcome, Outcome::Ok);
    let session = record.session_id.as_ref().unwrap().as_str();
    assert!(
        !session.contains("somebody") && session.len() == 32,
        "{session}"
    );
}

#[tokio::test]
async fn two_requests_of_one_http_request_have_two_records() {
    let layer = Layer::begin().await;
    for tool in ["echo", "fail"] {
        layer
            .request(tool, |extensions| {
                extensions.insert(http(&layer.call));
            })
            .await;
    }
    soon(layer.call.finish(Outcome::InternalError).unwrap())
        .await
        .unwrap();
    let mut records = layer.scene.records(2).await;
    records.sort_by_key(|record| record.tool_name.clone());
    assert_eq!(outcomes(&records), [Outcome::Ok, Outcome::ToolError]);
    assert_eq!(records[0].id, layer.call.id());
}

#[tokio::test]
async fn a_wrapper_in_a_wrapper_records_once() {
    let scene = Scene::with(Era::Earlier, |server, logger| {
        let inner = Audited::new(server, logger.clone()).into_handler();
        Audited::new(inner, logger)
    })
    .await;
    scene.call("fail", json!({})).await.unwrap();
    assert_eq!(scene.record().await.outcome, Outcome::ToolError);
}
