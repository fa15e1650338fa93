//! When nothing can be recorded.

use std::time::Duration;

use audit_core::AuditLogger;
use audit_core::event::Outcome;
use audit_mcp::Audited;
use audit_memory::MemoryStore;
use audit_testkit::mcp::ScenarioServer;
use rmcp::model::ErrorCode;
use rmcp::service::ServiceError;
use serde_json::json;

use super::scene::{Era, NamedClient, Scene, call, connect, logger, outcomes};

/// A scene of which the logger was shut down when the connection stood.
async fn shut_down(
    wrap: impl FnOnce(Audited<ScenarioServer>) -> Audited<ScenarioServer>,
) -> (Scene, Audited<ScenarioServer>) {
    let store = MemoryStore::new();
    let server = ScenarioServer::new();
    let logger: AuditLogger = logger(&store);
    let audited = wrap(Audited::new(server.clone(), logger.clone()));
    let client = connect(audited.clone(), NamedClient, Era::Earlier).await;
    logger.shutdown(Duration::from_secs(5)).await;
    let scene = Scene {
        store,
        server,
        client,
    };
    (scene, audited)
}

#[tokio::test]
async fn a_call_that_cannot_be_recorded_is_not_made() {
    let (scene, audited) = shut_down(|audited| audited).await;
    let refused = scene.call("release", json!({})).await.unwrap_err();
    let ServiceError::McpError(error) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(error.code, ErrorCode::INTERNAL_ERROR);
    assert!(
        error.message.contains("the audit log takes no records"),
        "{error}"
    );
    assert!(error.message.contains("try again later"), "{error}");
    assert_eq!(audited.n_unrecorded(), 1);

    // The tool did not run: what waits for it still waits.
    let call = scene.client.peer().call_tool(call("echo", &json!({})));
    call.await.unwrap_err();
    scene.records(0).await;
    tokio::select! {
        biased;
        () = scene.server.released() => panic!("the tool ran"),
        () = std::future::ready(()) => {}
    }
}

#[tokio::test]
async fn a_call_that_cannot_be_recorded_goes_on_where_that_was_chosen() {
    let (scene, audited) = shut_down(Audited::fail_open).await;
    for n_calls in 1..4 {
        scene.call("release", json!({})).await.unwrap();
        assert_eq!(audited.n_unrecorded(), n_calls);
    }
    scene.server.released().await;
    scene.records(0).await;
}

#[tokio::test]
async fn the_same_holds_for_a_handler() {
    let store = MemoryStore::new();
    let logger = logger(&store);
    let open = Audited::new(ScenarioServer::new(), logger.clone()).fail_open();
    let closed = Audited::new(ScenarioServer::new(), logger.clone());
    let open = connect(open.into_handler(), NamedClient, Era::Earlier).await;
    let closed = connect(closed.into_handler(), NamedClient, Era::Earlier).await;
    logger.shutdown(Duration::from_secs(5)).await;
    open.call_tool(call("echo", &json!({}))).await.unwrap();
    closed
        .call_tool(call("echo", &json!({})))
        .await
        .unwrap_err();
    assert_eq!(outcomes(&store.recorded()), [Outcome::Ok; 2]);
}
