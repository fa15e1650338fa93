//! Secrets are in no record.

use serde_json::json;

use super::stage::{Era, Stage};

#[tokio::test]
async fn no_key_that_was_presented_is_in_the_store() {
    let stage = Stage::open().await;
    let keys: Vec<String> = stage.demo.keys.all().map(str::to_owned).collect();
    let mut n_calls = 0;
    for era in Era::BOTH {
        for key in &keys {
            // In the header, in an argument, in a key of it, in a tool's name.
            let told = json!({ "query": format!("my key is {key}"), key: 1 });
            stage.call(era, key, "search", told).await;
            stage
                .call(era, key, &format!("tool_{key}"), json!({}))
                .await;
            n_calls += 2;
        }
    }
    let records = stage.records(n_calls).await;
    for record in &records {
        let all = serde_json::to_string(record).unwrap();
        for key in &keys {
            let bare = key.trim_start_matches("gw_");
            assert!(!all.contains(bare), "{all}");
        }
    }
    assert!(format!("{:?}", stage.demo).find(&keys[0]).is_none());
}

#[tokio::test]
async fn a_secret_in_the_arguments_is_redacted_and_reaches_the_tool() {
    let stage = Stage::open().await;
    let operator = stage.demo.keys.operator.clone();
    let password = "hunter2-and-more";
    let arguments = json!({ "city": "Bern", "password": password });
    let answer = stage
        .call(Era::Earlier, &operator, "get_weather", arguments)
        .await;
    assert_eq!(answer.status, 200);
    let record = stage.record().await;
    let asked = record.request().unwrap();
    assert!(
        asked.json().unwrap().contains("[REDACTED:password]"),
        "{asked:?}"
    );
    assert!(!serde_json::to_string(&record).unwrap().contains(password));
    assert_eq!(asked.report().n_redactions(), 1);
}
