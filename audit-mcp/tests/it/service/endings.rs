//! Calls that end without an answer.

use audit_core::event::Outcome;
use audit_core::logger::SharedCall;
use audit_mcp::Audited;
use rmcp::model::{CallToolRequestParams, CallToolResponse, CallToolResult, ClientRequest};
use rmcp::service::{PeerRequestOptions, RequestContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::json;

use super::scene::{Era, Scene, call, connect, logger, outcomes, records, soon};

/// Calls a tool that waits; the handle takes it back.
async fn begin(
    scene: &Scene,
    tool: &'static str,
) -> rmcp::service::RequestHandle<rmcp::RoleClient> {
    let request =
        ClientRequest::CallToolRequest(rmcp::model::CallToolRequest::new(call(tool, &json!({}))));
    let options = PeerRequestOptions::no_options();
    let handle = scene.client.send_cancellable_request(request, options);
    let handle = handle.await.unwrap();
    soon(scene.server.waiting(1)).await;
    handle
}

#[tokio::test]
async fn a_call_that_is_taken_back_is_cancelled() {
    let scene = Scene::open(Era::Earlier).await;
    begin(&scene, "slow").await.cancel(None).await.unwrap();
    let record = scene.record().await;
    assert_eq!(record.outcome, Outcome::Cancelled);
    assert_eq!(record.tool_name.as_ref().unwrap().as_str(), "slow");
}

#[tokio::test]
async fn a_handler_that_does_not_listen_cannot_hide_the_cancel() {
    let scene = Scene::open(Era::Earlier).await;
    let stubborn = begin(&scene, "stubborn").await;
    stubborn.cancel(None).await.unwrap();
    // The server has read the cancel when it answers what was sent after it.
    scene.call("release", json!({})).await.unwrap();
    let mut records = scene.records(2).await;
    records.sort_by_key(|record| record.ts);
    assert_eq!(outcomes(&records), [Outcome::Cancelled, Outcome::Ok]);
}

#[tokio::test]
async fn a_call_that_is_released_in_time_is_ok() {
    let scene = Scene::open(Era::Earlier).await;
    let slow = begin(&scene, "slow").await;
    scene.server.release();
    soon(slow.await_response()).await.unwrap();
    assert_eq!(scene.record().await.outcome, Outcome::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_is_gone_has_cancelled() {
    let mut scene = Scene::open(Era::Earlier).await;
    let slow = begin(&scene, "slow").await;
    scene.client.close().await.unwrap();
    drop(slow);
    assert_eq!(scene.record().await.outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn a_handler_that_panics_is_on_record() {
    for era in Era::BOTH {
        let scene = Scene::open(era).await;
        let panicking = scene.call("panic", json!({}));
        let recorded = scene.records(1);
        // rmcp sends no answer.
        let record = tokio::select! {
            answer = panicking => panic!("answered: {answer:?}"),
            records = recorded => records[0].clone(),
        };
        assert_eq!(record.outcome, Outcome::Aborted);
        scene.call("echo", json!({})).await.unwrap();
    }
}

/// Calls the service as rmcp does, without rmcp.
async fn context(scene: &Scene) -> RequestContext<RoleServer> {
    let (server_end, client_end) = tokio::io::duplex(4096);
    let peer = rmcp::service::serve_directly::<RoleServer, _, _, _, _>(
        scene.server.clone(),
        server_end,
        None,
    );
    drop(client_end);
    RequestContext::new(rmcp::model::NumberOrString::Number(7), peer.peer().clone())
}

#[tokio::test]
async fn a_call_whose_task_is_dropped_is_aborted_or_cancelled_as_it_is_true() {
    use rmcp::Service;
    for (is_cancelled, expected) in [(false, Outcome::Aborted), (true, Outcome::Cancelled)] {
        let scene = Scene::open(Era::Earlier).await;
        let audited = Audited::new(scene.server.clone(), logger(&scene.store));
        let request = ClientRequest::CallToolRequest(rmcp::model::CallToolRequest::new(call(
            "stubborn",
            &json!({}),
        )));
        let context = context(&scene).await;
        let token = context.ct.clone();
        let mut running = Box::pin(audited.handle_request(request, context));
        tokio::select! {
            answer = &mut running => panic!("answered: {answer:?}"),
            () = soon(scene.server.waiting(1)) => {}
        }
        if is_cancelled {
            token.cancel();
        }
        drop(running);
        assert_eq!(scene.record().await.outcome, expected);
    }
}

/// A server that knows better than its answer.
#[derive(Clone)]
struct Sayer(Outcome);

impl ServerHandler for Sayer {
    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let call = context.extensions.get::<SharedCall>().expect("the call");
        call.say(self.0);
        if request.name == "wait" {
            context.ct.cancelled().await;
        }
        Ok(CallToolResult::success(vec![]).into())
    }
}

#[tokio::test]
async fn what_the_handler_said_stands() {
    for said in [Outcome::Denied, Outcome::Timeout, Outcome::Ok] {
        let store = audit_memory::MemoryStore::new();
        let audited = Audited::new(Sayer(said), logger(&store));
        let client = connect(audited, (), Era::Earlier).await;
        client
            .call_tool(CallToolRequestParams::new("any"))
            .await
            .unwrap();
        assert_eq!(records(&store, 1).await[0].outcome, said);
    }
}

#[tokio::test(start_paused = true)]
async fn an_ok_does_not_outweigh_that_the_caller_left_and_a_refusal_does() {
    let table = [
        (Outcome::Ok, Outcome::Cancelled),
        (Outcome::Denied, Outcome::Denied),
    ];
    for (said, expected) in table {
        let store = audit_memory::MemoryStore::new();
        let audited = Audited::new(Sayer(said), logger(&store)).into_handler();
        let mut client = connect(audited, (), Era::Earlier).await;
        let peer = client.peer().clone();
        let call =
            tokio::spawn(async move { peer.call_tool(CallToolRequestParams::new("wait")).await });
        // What is sent after the call is refused when the call has begun.
        client.list_tools(None).await.unwrap_err();
        client.close().await.unwrap();
        call.await.unwrap().unwrap_err();
        let mut records = records(&store, 2).await;
        records.sort_by_key(|record| record.method.clone());
        assert_eq!(records[0].outcome, expected);
    }
}
