//! Calls that are refused, and by which check.

use std::sync::Arc;

use audit_core::event::{ApiKeyId, Outcome, Verdict};
use audit_example_gateway::{LimiterDown, RateLimiter, Roles, Taken};
use serde_json::json;

use super::stage::{Era, Stage, key, reason, tool, verdicts};

#[tokio::test]
async fn a_caller_whom_nobody_knows_is_unauthenticated_and_his_call_is_named() {
    for era in Era::BOTH {
        let stage = Stage::open().await;
        let unknown = stage.demo.keys.unknown.clone();
        let table = [
            (None, "no key was presented"),
            (Some(unknown.as_str()), "the key is not known"),
        ];
        for (number, (presented, why)) in table.into_iter().enumerate() {
            let params = json!({ "name": "delete_customer", "arguments": { "customer_id": "7" } });
            let answer = stage.method(era, presented, "tools/call", params).await;
            assert_eq!(answer.status, 401);
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
            assert_eq!(answer.json()["id"], "c-1");
            assert!(
                answer.error().contains("Authorization: Bearer KEY"),
                "{answer:?}"
            );

            let record = stage.records(number + 1).await.remove(number);
            assert_eq!(record.outcome, Outcome::Unauthenticated);
            assert_eq!(record.status_code.as_u16(), 401);
            assert_eq!(record.method.as_str(), "tools/call");
            assert_eq!(tool(&record), "delete_customer");
            assert_eq!(key(&record), None);
            assert_eq!(
                verdicts(&record),
                [Verdict::Denied, Verdict::Skipped, Verdict::Skipped]
            );
            assert_eq!(reason(&record.decision.auth), why);
            assert!(
                record
                    .request()
                    .unwrap()
                    .json()
                    .unwrap()
                    .contains(r#""customer_id":"7""#)
            );
        }
        assert_eq!(stage.demo.server.n_deleted(), 0);
    }
}

#[tokio::test]
async fn other_places_for_a_key_are_none() {
    let stage = Stage::open().await;
    let reader = stage.demo.keys.reader.clone();
    let basic = stage
        .request(None)
        .header("authorization", format!("Basic {reader}"));
    let bare = stage.request(None).header("authorization", &reader);
    let other = stage.request(None).header("x-api-key", &reader);
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string();
    for (number, request) in [basic, bare, other].into_iter().enumerate() {
        let answer = stage.send(request.body(list.clone().into()).unwrap()).await;
        assert_eq!(answer.status, 401);
        let record = stage.records(number + 1).await.remove(number);
        assert_eq!(record.outcome, Outcome::Unauthenticated);
    }
    let lower = stage
        .request(None)
        .header("authorization", format!("bearer {reader}"));
    assert_eq!(
        stage.send(lower.body(list.into()).unwrap()).await.status,
        200
    );
}

#[tokio::test]
async fn a_tool_that_is_not_of_the_role_is_denied_and_does_not_run() {
    for era in Era::BOTH {
        let stage = Stage::open().await;
        let reader = stage.demo.keys.reader.clone();
        let answer = stage
            .call(
                era,
                &reader,
                "delete_customer",
                json!({ "customer_id": "7" }),
            )
            .await;
        assert!(
            answer
                .error()
                .contains("role `reader` may not use `delete_customer`"),
            "{answer:?}"
        );
        assert_eq!(stage.demo.server.n_deleted(), 0);

        let record = stage.record().await;
        assert_eq!(record.outcome, Outcome::Denied);
        assert_eq!(tool(&record), "delete_customer");
        assert_eq!(key(&record), Some("k_reader"));
        assert_eq!(
            verdicts(&record),
            [Verdict::Allowed, Verdict::Denied, Verdict::Allowed]
        );
        assert_eq!(
            reason(&record.decision.authz),
            "role `reader` may not use `delete_customer`"
        );

        let operator = stage.demo.keys.operator.clone();
        stage
            .call(
                era,
                &operator,
                "delete_customer",
                json!({ "customer_id": "7" }),
            )
            .await;
        assert_eq!(stage.demo.server.n_deleted(), 1);
        assert_eq!(stage.records(2).await[1].outcome, Outcome::Ok);
    }
}

/// What the record names and what is executed are read by different code: the check must be of
/// what is executed.
#[tokio::test]
async fn a_second_name_in_the_body_does_not_pass_the_check() {
    let stage = Stage::open().await;
    let reader = stage.demo.keys.reader.clone();
    for params in [
        r#"{"name":"search","name":"delete_customer","arguments":{"customer_id":"7","query":"x"}}"#,
        r#"{"name":"delete_customer","name":"search","arguments":{"customer_id":"7","query":"x"}}"#,
        r#"{"n\u0061me":"delete_customer","arguments":{"customer_id":"7"}}"#,
    ] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
        let request = stage.request(Some(&reader)).body(body.into()).unwrap();
        stage.send(request).await;
    }
    assert_eq!(stage.demo.server.n_deleted(), 0);
    let records = stage.records(3).await;
    assert!(
        records
            .iter()
            .all(|record| record.outcome != Outcome::Ok || tool(record) == "search")
    );
}

#[tokio::test]
async fn who_calls_too_often_is_rate_limited() {
    for era in Era::BOTH {
        let stage = Stage::open().await;
        let trial = stage.demo.keys.trial.clone();
        for (number, left) in [1, 0].into_iter().enumerate() {
            let answer = stage
                .call(era, &trial, "search", json!({ "query": "x" }))
                .await;
            assert_eq!(answer.status, 200);
            let record = stage.records(number + 1).await.remove(number);
            assert_eq!(record.decision.rate.remaining, Some(left));
        }
        let answer = stage
            .call(era, &trial, "search", json!({ "query": "x" }))
            .await;
        assert_eq!(answer.status, 429);
        let wait: u64 = answer.headers["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((1..=61).contains(&wait), "{wait}");
        assert!(answer.error().contains("try again in"), "{answer:?}");

        let record = stage.records(3).await.remove(2);
        assert_eq!(record.outcome, Outcome::RateLimited);
        assert_eq!(record.status_code.as_u16(), 429);
        assert_eq!(tool(&record), "search");
        assert_eq!(key(&record), Some("k_trial"));
        assert_eq!(
            verdicts(&record),
            [Verdict::Allowed, Verdict::Skipped, Verdict::Denied]
        );
        assert_eq!(record.decision.rate.limit, Some(2));
        assert_eq!(reason(&record.decision.rate), "more than 2 calls a minute");
    }
}

#[derive(Debug)]
struct Down;

impl RateLimiter for Down {
    fn take<'a>(&'a self, _key: &'a ApiKeyId, _limit: u32) -> Taken<'a> {
        Box::pin(std::future::ready(Err(LimiterDown)))
    }
}

#[tokio::test]
async fn a_limiter_that_is_down_denies_nobody() {
    let stage = Stage::with(|config| config.limiter = Arc::new(Down)).await;
    let reader = stage.demo.keys.reader.clone();
    let answer = stage
        .call(Era::Earlier, &reader, "search", json!({ "query": "x" }))
        .await;
    assert_eq!(answer.status, 503);
    let record = stage.record().await;
    assert_eq!(record.outcome, Outcome::InternalError);
    assert_eq!(
        verdicts(&record),
        [Verdict::Allowed, Verdict::Skipped, Verdict::Error]
    );
    assert_eq!(
        reason(&record.decision.rate),
        "the rate limiter does not answer"
    );
}

#[tokio::test]
async fn a_role_that_is_not_in_the_file_may_do_nothing() {
    let stage = Stage::with(|config| config.roles = Roles::from_toml("").unwrap()).await;
    let operator = stage.demo.keys.operator.clone();
    let answer = stage
        .call(Era::Earlier, &operator, "search", json!({ "query": "x" }))
        .await;
    assert_eq!(answer.status, 403);
    let record = stage.record().await;
    assert_eq!(record.outcome, Outcome::Denied);
    assert_eq!(
        verdicts(&record),
        [Verdict::Allowed, Verdict::Denied, Verdict::Skipped]
    );
}
