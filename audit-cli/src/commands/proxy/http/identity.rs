//! Of whom a request is recorded.

use std::net::IpAddr;

use audit_core::event::{ApiKeyId, Client, ClientAddress, SessionId, TraceContext};
use audit_core::payload::CallerCredential;
use audit_mcp::conversation::Origin;
use axum::http::{HeaderMap, HeaderName};
use sha2::{Digest as _, Sha256};

use super::super::Identity;

/// The header of sessions, in the revisions of the protocol that have them.
pub(super) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// Reads callers from requests.
#[derive(Clone, Debug)]
pub(super) struct Callers {
    pub(super) fixed: Identity,
    pub(super) api_key_header: HeaderName,
}

impl Callers {
    /// What is known of the caller before the message is read.
    pub(super) fn origin(&self, headers: &HeaderMap, address: IpAddr) -> Origin {
        let client = Client::new().address(ClientAddress::lossy(address.to_string()));
        let mut origin = Origin::new().draft(|draft| draft.client(client));
        for value in headers.get_all(&self.api_key_header) {
            origin = origin.credential(CallerCredential::new(value.as_bytes()));
        }
        let presented = headers.get(&self.api_key_header);
        let presented = presented.and_then(|value| key_id(value.as_bytes()));
        if let Some(id) = self.fixed.api_key_id.clone().or(presented) {
            origin = origin.draft(|draft| draft.api_key_id(id));
        }
        if let Some(role) = self.fixed.role.clone() {
            origin = origin.draft(|draft| draft.role(role));
        }
        if let Some(session) = headers.get(SESSION) {
            let session = SessionId::hashed(session.as_bytes());
            origin = origin.draft(|draft| draft.session_id(session));
        }
        let trace = headers
            .get("traceparent")
            .and_then(|value| value.to_str().ok());
        match trace.and_then(|text| text.parse::<TraceContext>().ok()) {
            Some(trace) => origin.draft(|draft| draft.trace_context(trace)),
            None => origin,
        }
    }
}

/// A name for a key that is not known by any other: the beginning of its digest. Who has the key can
/// tell its name; who has the name cannot tell a key that was drawn at random.
fn key_id(presented: &[u8]) -> Option<ApiKeyId> {
    // The scheme is no part of the key.
    let secret = match presented.iter().position(|byte| *byte == b' ') {
        Some(space) => presented[space..].trim_ascii(),
        None => presented,
    };
    let digest = Sha256::digest(secret);
    let digits: String = digest
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    ApiKeyId::new(format!("key-{digits}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_named_by_its_digest_with_and_without_a_scheme() {
        let named = key_id(b"Bearer correct-horse").unwrap();
        assert_eq!(key_id(b"correct-horse"), Some(named.clone()));
        assert_ne!(key_id(b"correct-horsf"), Some(named.clone()));
        assert!(
            named.as_str().starts_with("key-") && named.as_str().len() == 16,
            "{named}"
        );
    }
}
