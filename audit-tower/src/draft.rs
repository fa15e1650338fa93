//! What a request says of itself.

use audit_core::event::{
    Client, ClientAddress, ClientName, ClientVersion, EventDraft, Method, RequestId, SessionId,
    TraceContext,
};
use audit_core::payload::CallerCredential;
use http::header::USER_AGENT;
use http::request::Parts;
use http::{HeaderMap, HeaderName};

use crate::options::Options;
use crate::span;

/// A call that is about to begin.
pub(crate) struct Begun {
    pub(crate) draft: EventDraft,
    pub(crate) names: span::Names,
}

pub(crate) fn draft(options: &Options, parts: &Parts) -> Begun {
    let route = options.route.as_ref().and_then(|route| route(parts));
    let method = parts.method.as_str();
    // CONNECT and `OPTIONS *` have no path of their own.
    let place = route.unwrap_or_else(|| parts.uri.path());
    let mut text = String::with_capacity(method.len() + 1 + place.len());
    text.push_str(method);
    if !place.is_empty() {
        text.push(' ');
        text.push_str(place);
    }
    let mut draft = EventDraft::new(Method::lossy(text)).client(client(options, parts));
    let headers = &parts.headers;
    for name in &options.credential_headers {
        for value in headers.get_all(name) {
            draft = draft.credential(CallerCredential::new(value.as_bytes()));
        }
    }
    if let Some(context) = trace_context(headers) {
        draft = draft.trace_context(context);
    }
    if let Some(id) = session(options, headers) {
        draft = draft.session_id(id);
    }
    if let Some(id) = text_of(headers, options.request_id_header.as_ref()) {
        draft = draft.request_id(RequestId::lossy(id));
    }
    if let Some(hook) = &options.draft {
        draft = hook(parts, draft);
    }
    Begun {
        draft,
        names: span::Names::new(&parts.method, route),
    }
}

/// The session that a request belongs to, or that a response begins.
pub(crate) fn session(options: &Options, headers: &HeaderMap) -> Option<SessionId> {
    let value = headers.get(options.session_header.as_ref()?)?;
    Some(SessionId::hashed(value.as_bytes()))
}

/// The place in a trace, unless the header came twice: then nobody knows which one is meant.
fn trace_context(headers: &HeaderMap) -> Option<TraceContext> {
    let mut values = headers.get_all("traceparent").into_iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    value.to_str().ok()?.parse().ok()
}

fn client(options: &Options, parts: &Parts) -> Client {
    let mut client = Client::new();
    if let Some(agent) = text_of(&parts.headers, Some(&USER_AGENT)) {
        client = claimed(client, agent);
    }
    let address = options.address.as_ref().and_then(|address| address(parts));
    match address.map(|address| ClientAddress::new(address.to_string())) {
        Some(Ok(address)) => client.address(address),
        Some(Err(_)) | None => client,
    }
}

/// `curl/8.5.0` has a version; of longer texts nobody knows which part is meant.
fn claimed(client: Client, agent: &str) -> Client {
    let is_product = |text: &str| !text.is_empty() && !text.contains([' ', '/', '(']);
    match agent.split_once('/') {
        Some((name, version)) if is_product(name) && is_product(version) => client
            .name(ClientName::lossy(name))
            .version(ClientVersion::lossy(version)),
        _ => client.name(ClientName::lossy(agent)),
    }
}

fn text_of<'a>(headers: &'a HeaderMap, name: Option<&HeaderName>) -> Option<&'a str> {
    headers.get(name?)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_of_one_product_has_a_version() {
        let claims = |agent| {
            let client = claimed(Client::new(), agent);
            let text = |text: Option<&str>| text.map(str::to_owned);
            (
                text(client.name.as_ref().map(AsRef::as_ref)),
                text(client.version.as_ref().map(AsRef::as_ref)),
            )
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(claims("curl/8.5.0"), (some("curl"), some("8.5.0")));
        assert_eq!(claims("curl"), (some("curl"), None));
        let browser = "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101";
        assert_eq!(claims(browser), (some(browser), None));
        assert_eq!(claims("/1"), (some("/1"), None));
        assert_eq!(claims(""), (some("[EMPTY]"), None));
    }
}
