//! When nothing can be recorded.

use std::time::Duration;

use serde_json::json;

use super::stage::{Era, Stage};

#[tokio::test]
async fn a_call_that_cannot_be_recorded_is_not_made() {
    let stage = Stage::open().await;
    let operator = stage.demo.keys.operator.clone();
    let ready = || {
        axum::http::Request::get(format!("http://{}/ready", stage.address))
            .body("".into())
            .unwrap()
    };
    assert_eq!(stage.send(ready()).await.status, 200);

    stage.logger.shutdown(Duration::from_secs(5)).await;
    let customer = json!({ "customer_id": "7" });
    let answer = stage
        .call(Era::Earlier, &operator, "delete_customer", customer)
        .await;
    assert_eq!(answer.status, 503);
    assert_eq!(stage.demo.server.n_deleted(), 0);
    assert_eq!(stage.send(ready()).await.status, 503);
    assert_eq!(stage.store.n_events(), 0);
}
