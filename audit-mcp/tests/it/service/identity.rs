//! Who called, and from where.

use audit_core::event::{ApiKeyId, Role, Upstream};
use audit_core::payload::CallerCredential;
use audit_mcp::Audited;
use rmcp::model::{CallToolRequest, ClientRequest, RequestMetaObject};
use rmcp::service::PeerRequestOptions;
use serde_json::json;

use super::scene::{Era, Scene, call};

const KEY: &str = "correct-horse-battery-staple";

#[tokio::test]
async fn the_hook_says_who_calls() {
    for era in Era::BOTH {
        let scene = Scene::with(era, |server, logger| {
            Audited::new(server, logger)
                .upstream(Upstream::new("scenario").unwrap())
                .identify(|caller, draft| {
                    assert!(caller.http().is_none());
                    draft
                        .api_key_id(ApiKeyId::new("k_7").unwrap())
                        .role(Role::new("reader").unwrap())
                        .credential(CallerCredential::new(KEY))
                })
        })
        .await;
        scene
            .call("echo", json!({ "note": format!("my key is {KEY}") }))
            .await
            .unwrap();
        let record = scene.record().await;
        assert_eq!(record.api_key_id.as_ref().unwrap().as_str(), "k_7");
        assert_eq!(record.role.as_str(), "reader");
        assert_eq!(record.upstream.as_ref().unwrap().as_str(), "scenario");
        assert_eq!(record.client.name.as_ref().unwrap().as_str(), "inspector");
        let all = serde_json::to_string(&record).unwrap();
        assert!(!all.contains(KEY), "{all}");
        assert!(all.contains("[REDACTED:caller_credential]"), "{all}");
    }
}

#[tokio::test]
async fn the_callers_place_in_a_trace_is_on_record() {
    for era in Era::BOTH {
        let scene = Scene::open(era).await;
        let mut meta = RequestMetaObject::new();
        meta.set_traceparent("00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01");
        let request =
            ClientRequest::CallToolRequest(CallToolRequest::new(call("echo", &json!({}))));
        let options = PeerRequestOptions::no_options().with_meta(meta);
        let handle = scene.client.send_cancellable_request(request, options);
        handle.await.unwrap().await_response().await.unwrap();
        let record = scene.record().await;
        assert_eq!(
            record.trace_id.unwrap().to_string(),
            "0af7651916cd43dd8448eb211c80319c"
        );
        assert_eq!(record.span_id.unwrap().to_string(), "00f067aa0ba902b7");
    }
}
