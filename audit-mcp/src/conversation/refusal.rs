use serde_json::json;

/// The internal error of JSON-RPC.
const INTERNAL_ERROR: i64 = -32_603;

/// What the caller of a call that cannot be recorded is told.
const TEXT: &str = "the audit store takes no records at the moment, so this call was not made: \
                    try again later, or ask who runs this gateway";

/// Answers in the server's stead: the calls of these ids were not made.
pub(super) fn answer<'i>(ids: impl IntoIterator<Item = &'i str>, is_batch: bool) -> String {
    let error = json!({ "code": INTERNAL_ERROR, "message": TEXT });
    // The id goes back as it was spelled.
    let one = |id| format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#);
    let answers: Vec<_> = ids.into_iter().map(one).collect();
    match answers.as_slice() {
        [] => one("null"),
        [answer] if !is_batch => answer.clone(),
        answers => format!("[{}]", answers.join(",")),
    }
}
