//! Each kind of answer, in both eras and in both forms of the wrapper.

use audit_core::event::Outcome;
use audit_mcp::Audited;
use rmcp::model::{ClientRequest, CustomRequest};
use serde_json::{Value, json};

use super::scene::{Era, Scene, outcomes};

async fn scenes(era: Era) -> [Scene; 2] {
    [
        Scene::with(era, Audited::new).await,
        Scene::with(era, |server, logger| {
            Audited::new(server, logger).into_handler()
        })
        .await,
    ]
}

#[tokio::test]
async fn every_answer_has_its_outcome() {
    let table = [
        ("echo", json!({ "text": "hello" }), Outcome::Ok),
        ("fail", json!({}), Outcome::ToolError),
        ("error", json!({}), Outcome::RpcError),
        ("error", json!({ "code": -32603 }), Outcome::RpcError),
        ("error", json!({ "code": -32600 }), Outcome::InvalidRequest),
        ("no_such_tool", json!({}), Outcome::RpcError),
        ("progress", json!({}), Outcome::Ok),
    ];
    for era in Era::BOTH {
        for scene in scenes(era).await {
            for (number, (tool, arguments, expected)) in table.iter().enumerate() {
                let answer = scene.call(tool, arguments.clone()).await;
                assert_eq!(
                    answer.is_ok(),
                    matches!(expected, Outcome::Ok | Outcome::ToolError)
                );
                let records = scene.records(number + 1).await;
                let record = records.last().unwrap();
                assert_eq!(record.outcome, *expected, "{era:?} {tool}");
                assert_eq!(record.method.as_str(), "tools/call");
                assert_eq!(record.tool_name.as_ref().unwrap().as_str(), *tool);
                assert!(record.request_id.is_some());
            }
        }
    }
}

#[tokio::test]
async fn what_was_asked_and_answered_is_kept() {
    for scene in scenes(Era::Earlier).await {
        scene
            .call("echo", json!({ "text": "hello" }))
            .await
            .unwrap();
        scene
            .call("error", json!({ "code": -32001 }))
            .await
            .unwrap_err();
        let records = scene.records(2).await;
        let json = |text: Option<&str>| serde_json::from_str::<Value>(text.unwrap()).unwrap();

        let asked = json(records[0].request().unwrap().json());
        assert_eq!(asked["name"], "echo");
        assert_eq!(asked["arguments"], json!({ "text": "hello" }));
        let answered = json(records[0].response().unwrap().json());
        assert_eq!(answered["content"][0]["text"], r#"{"text":"hello"}"#);
        let refused = json(records[1].response().unwrap().json());
        assert_eq!(refused["code"], -32001);
    }
}

#[tokio::test]
async fn methods_without_a_tool_are_on_record_too() {
    for era in Era::BOTH {
        for scene in scenes(era).await {
            scene.client.list_tools(None).await.unwrap();
            let custom = |method| {
                ClientRequest::CustomRequest(CustomRequest::new(method, Some(json!({ "a": 1 }))))
            };
            scene
                .client
                .send_request(custom("scenario/custom"))
                .await
                .unwrap();
            scene
                .client
                .send_request(custom("scenario/unknown"))
                .await
                .unwrap_err();

            let records = scene.records(3).await;
            let methods: Vec<&str> = records
                .iter()
                .map(|record| record.method.as_str())
                .collect();
            assert_eq!(
                methods,
                ["tools/list", "scenario/custom", "scenario/unknown"]
            );
            assert_eq!(
                outcomes(&records),
                [Outcome::Ok, Outcome::Ok, Outcome::RpcError]
            );
            assert!(records.iter().all(|record| record.tool_name.is_none()));
            assert!(
                records[0].request().is_none(),
                "there were no arguments: {:?}",
                records[0]
            );
            let asked = records[1].request().unwrap().json().unwrap();
            assert!(asked.contains(r#""a":1"#), "{asked}");
        }
    }
}

#[tokio::test]
async fn the_opening_of_a_connection_is_on_record() {
    for era in Era::BOTH {
        for scene in scenes(era).await {
            let opening = &scene.store.recorded()[0];
            assert_eq!(opening.method.as_str(), era.opening());
            assert_eq!(opening.outcome, Outcome::Ok);
            let client = &opening.client;
            assert_eq!(client.name.as_ref().unwrap().as_str(), "inspector");
            assert_eq!(client.version.as_ref().unwrap().as_str(), "2.1");
        }
    }
}

#[tokio::test]
async fn a_question_back_is_an_answer() {
    for scene in scenes(Era::Later).await {
        scene.call("ask", json!({})).await.unwrap();
        let record = scene.record().await;
        assert_eq!(record.outcome, Outcome::Ok);
        let answered = record.response().unwrap().json().unwrap();
        assert!(answered.contains("input_required"), "{answered}");
    }
}

#[tokio::test]
async fn a_big_answer_is_known_by_its_size_and_digest_on_record_alone() {
    for scene in scenes(Era::Earlier).await {
        let answer = scene.call("big", json!({})).await.unwrap();
        let rmcp::model::CallToolResponse::Complete(answer) = answer else {
            panic!("{answer:?}");
        };
        let text = &answer.content[0].as_text().unwrap().text;
        assert_eq!(text.len(), 2 * 1024 * 1024);
        let record = scene.record().await;
        let payload = record.response().unwrap();
        assert!(payload.json().unwrap().len() < 100 * 1024);
        assert!(payload.report().original_bytes > 2 * 1024 * 1024);
        let kept: Value = serde_json::from_str(payload.json().unwrap()).unwrap();
        let kept = &kept["content"][0]["text"];
        assert_eq!(kept["bytes"], 2 * 1024 * 1024, "{kept}");
        assert_eq!(kept["sha256"].as_str().unwrap().len(), 64);
    }
}
