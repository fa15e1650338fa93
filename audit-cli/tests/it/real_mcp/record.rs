//! What the store holds.

use std::fs;
use std::path::Path;

use audit_core::reader::{AuditReader as _, Filter, PageRequest};
use audit_sqlite::{SqliteConfig, SqliteReader};
use serde_json::Value;

/// What of an event a scenario knows beforehand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call {
    method: String,
    tool_name: Option<String>,
    outcome: String,
}

impl Call {
    pub(crate) fn from_json(value: &Value) -> Self {
        let text = |name: &str| value[name].as_str().map(ToOwned::to_owned);
        Self {
            method: text("method").unwrap(),
            tool_name: text("tool_name"),
            outcome: text("outcome").unwrap(),
        }
    }
}

/// Each call has one event, and there is no other; nothing is missing in their numbers.
pub(crate) async fn assert_holds(store: &Path, mut expected: Vec<Call>) {
    let reader = SqliteReader::open(&SqliteConfig::new(store)).await.unwrap();
    let all = PageRequest::new(Filter::all()).limit(1_000).unwrap();
    let page = reader.page(&all).await.unwrap();
    let mut calls: Vec<Call> = page
        .events
        .iter()
        .map(|event| Call {
            method: event.method.to_string(),
            tool_name: event.tool_name.as_ref().map(ToString::to_string),
            outcome: event.outcome.to_string(),
        })
        .collect();
    // Calls that are in flight together end in any order.
    calls.sort();
    expected.sort();
    assert_eq!(calls, expected, "left the store, right what was called");
    let mut numbers: Vec<u64> = page.events.iter().map(|event| event.seq.get()).collect();
    numbers.sort_unstable();
    let gapless: Vec<u64> = (1..).take(numbers.len()).collect();
    assert_eq!(numbers, gapless);
}

/// No file in the folder of the store holds this text.
pub(crate) fn assert_nowhere(folder: &Path, text: &str) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let found = bytes.windows(text.len()).any(|it| it == text.as_bytes());
        assert!(!found, "{} holds {text}", path.display());
    }
}
