//! What a request says of itself, for its record.

use std::borrow::Cow;

use audit_core::event::{Client, ClientName, ClientVersion, EventDraft, ToolName, TraceContext};

use crate::json;

/// Where 2026-07-28 says which version a request keeps to.
const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// Where it says which client sends it.
const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";

/// The method of the record of what is no request: a line that is no JSON, an object without a
/// method.
pub const INVALID_METHOD: &str = "invalid";

/// What the arguments of a request say that has a place of its own in the record. All of it is
/// claimed by the sender.
///
/// # Examples
/// ```
/// use audit_mcp::draft::CallFacts;
///
/// let facts = CallFacts::of_params("tools/call", r#"{"name":"search","arguments":{"q":"x"}}"#);
/// assert_eq!(facts.tool_name.unwrap().as_str(), "search");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallFacts {
    /// The tool of `tools/call`. Prompts and resources have none: their names are in the payload,
    /// and rules by tool are not about them.
    pub tool_name: Option<ToolName>,
    /// The place in a trace, from `_meta.traceparent`.
    pub trace_context: Option<TraceContext>,
    /// Name and version of the client: `clientInfo` of `initialize`, or of `_meta` in 2026-07-28.
    pub client: Client,
    /// The version of the protocol that `initialize` asks for, or `_meta` in 2026-07-28.
    pub protocol_version: Option<Box<str>>,
}

impl CallFacts {
    /// Reads the arguments of a request, as JSON. What is not as the protocol says is passed over.
    #[must_use]
    pub fn of_params(method: &str, params: &str) -> Self {
        let [name, meta, info, version] =
            json::pick(params, ["name", "_meta", "clientInfo", "protocolVersion"]);
        let is = |what: &str| method == what;
        let tool = name.filter(|_| is("tools/call"));
        let mut facts = Self {
            tool_name: tool.and_then(json::text).map(ToolName::lossy),
            ..Self::default()
        };
        if is("initialize") {
            facts.take(info, version);
        }
        if let Some(meta) = meta {
            let [parent, info, version] =
                json::pick(meta, ["traceparent", CLIENT_INFO, PROTOCOL_VERSION]);
            let parent = parent.and_then(json::text);
            facts.trace_context = parent.and_then(|parent| parent.parse().ok());
            facts.take(info, version);
        }
        facts
    }

    /// Adds the facts to a record. What they do not say stays as it is there.
    pub fn amend(&self, mut draft: EventDraft) -> EventDraft {
        if let Some(tool) = &self.tool_name {
            draft = draft.tool_name(tool.clone());
        }
        if let Some(context) = self.trace_context {
            draft = draft.trace_context(context);
        }
        claim(draft, &self.client)
    }

    fn take(&mut self, info: Option<&str>, version: Option<&str>) {
        if let Some(info) = info {
            let [name, version] = json::pick(info, ["name", "version"]);
            let name = name.and_then(json::text).map(ClientName::lossy);
            let version = version.and_then(json::text).map(ClientVersion::lossy);
            if name.is_some() {
                self.client.name = name;
                self.client.version = version;
            }
        }
        if let Some(version) = version.and_then(json::text) {
            self.protocol_version = Some(bounded(version));
        }
    }
}

/// Adds which client it claims to be, before what the transport knows of it; the address is not for
/// the client to claim.
pub(crate) fn claim(draft: EventDraft, claimed: &Client) -> EventDraft {
    let Some(name) = &claimed.name else {
        return draft;
    };
    draft.amend_client(|mut client| {
        client.name = Some(name.clone());
        // A version belongs to its name.
        client.version.clone_from(&claimed.version);
        client
    })
}

/// A version is a date; what is longer than any version is none.
fn bounded(version: Cow<'_, str>) -> Box<str> {
    const MAX: usize = 64;
    match version.char_indices().nth(MAX) {
        Some((end, _)) => version[..end].into(),
        None => version.into(),
    }
}

#[cfg(test)]
mod tests {
    use audit_core::event::{ClientAddress, EventId, Method, Seq, Timestamp, WriterId};
    use serde_json::json;

    use super::*;

    fn facts(method: &str, params: &serde_json::Value) -> CallFacts {
        CallFacts::of_params(method, &params.to_string())
    }

    #[test]
    fn only_a_call_of_a_tool_names_a_tool() {
        let params = json!({ "name": "search", "arguments": {} });
        let tool = |method| facts(method, &params).tool_name;
        assert_eq!(tool("tools/call"), Some(ToolName::new("search").unwrap()));
        for other in ["prompts/get", "tools/list", "resources/read", "tools/callx"] {
            assert_eq!(tool(other), None, "{other}");
        }
        for wrong in [json!({ "name": 5 }), json!({}), json!([]), json!(null)] {
            assert_eq!(facts("tools/call", &wrong), CallFacts::default(), "{wrong}");
        }
    }

    #[test]
    fn initialize_says_who_the_client_is() {
        let said = facts(
            "initialize",
            &json!({ "protocolVersion": "2025-11-25", "clientInfo": { "name": "c", "version": "1" } }),
        );
        assert_eq!(said.client.name.unwrap().as_str(), "c");
        assert_eq!(said.client.version.unwrap().as_str(), "1");
        assert_eq!(said.protocol_version.as_deref(), Some("2025-11-25"));
        let elsewhere = json!({ "protocolVersion": "x", "clientInfo": { "name": "c" } });
        assert_eq!(facts("tools/list", &elsewhere), CallFacts::default());
    }

    #[test]
    fn every_request_of_the_later_era_says_it_in_meta() {
        let said = facts(
            "tools/call",
            &json!({ "name": "a", "_meta": {
                "traceparent": "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01",
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": { "name": "c", "version": "2" },
            } }),
        );
        assert_eq!(said.client.name.as_ref().unwrap().as_str(), "c");
        assert_eq!(said.protocol_version.as_deref(), Some("2026-07-28"));
        let context = said.trace_context.unwrap();
        assert_eq!(
            context.trace_id.to_string(),
            "0af7651916cd43dd8448eb211c80319c"
        );
        assert_eq!(context.span_id.to_string(), "00f067aa0ba902b7");
        for wrong in [
            json!({ "_meta": 1 }),
            json!({ "_meta": { "traceparent": "x" } }),
        ] {
            assert_eq!(facts("ping", &wrong), CallFacts::default(), "{wrong}");
        }
    }

    #[test]
    fn what_the_client_claims_goes_before_what_the_transport_knows() {
        let ts = Timestamp::from_micros(1_700_000_000_000_000).unwrap();
        let known = Client::new()
            .name(ClientName::new("agent").unwrap())
            .version(ClientVersion::new("9").unwrap())
            .address(ClientAddress::new("10.0.0.1").unwrap());
        let client = |facts: &CallFacts| {
            let draft = EventDraft::new(Method::tools_call())
                .client(known.clone())
                .ts(ts)
                .id(EventId::new(ts, 1));
            let writer = WriterId::new("w").unwrap();
            let event = facts.amend(draft).stamp(writer, Seq::FIRST).unwrap();
            event.client.clone()
        };
        assert_eq!(client(&CallFacts::default()), known);
        let said = facts("initialize", &json!({ "clientInfo": { "name": "c" } }));
        let client = client(&said);
        assert_eq!(client.name.unwrap().as_str(), "c");
        assert_eq!(client.version, None);
        assert_eq!(client.address, known.address);
    }

    #[test]
    fn a_long_claim_is_bounded() {
        let long = "é".repeat(10_000);
        let said = facts(
            "initialize",
            &json!({ "protocolVersion": long, "clientInfo": { "name": long, "version": long } }),
        );
        assert_eq!(said.protocol_version.unwrap().chars().count(), 64);
        assert_eq!(said.client.name.unwrap().as_str().chars().count(), 128);
    }
}
