//! What the tools of the scenario server answer.

use std::collections::BTreeMap;

use rmcp::model::{CallToolResult, ContentBlock, JsonObject};

/// How much the tool `big` answers, unless it is told: more than any record keeps.
const BIG_BYTES: usize = 2 * 1024 * 1024;
/// A PNG of one pixel, in base64.
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=";

pub(super) fn text(text: impl Into<String>) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(text)])
}

/// The arguments, as they came.
pub(super) fn echo(arguments: &JsonObject) -> CallToolResult {
    text(serde_json::Value::Object(arguments.clone()).to_string())
}

pub(super) fn fail() -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(
        "the tool failed, as it was asked to",
    )])
}

pub(super) fn big(arguments: &JsonObject) -> CallToolResult {
    let bytes = arguments.get("bytes").and_then(serde_json::Value::as_u64);
    let n_bytes = bytes.and_then(|bytes| usize::try_from(bytes).ok());
    text("0123456789abcde ".repeat(n_bytes.unwrap_or(BIG_BYTES) / 16))
}

/// The environment of the process, with what is secret in it.
pub(super) fn environment() -> CallToolResult {
    let variables: BTreeMap<String, String> = std::env::vars_os()
        .map(|(name, value)| {
            let [name, value] = [name, value].map(|it| it.to_string_lossy().into_owned());
            (name, value)
        })
        .collect();
    text(serde_json::json!(variables).to_string())
}

pub(super) fn image() -> CallToolResult {
    CallToolResult::success(vec![
        ContentBlock::text("one pixel"),
        ContentBlock::image(PNG, "image/png"),
    ])
}
