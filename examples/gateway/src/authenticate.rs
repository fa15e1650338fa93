use std::sync::Arc;

use audit_core::event::{Check, Outcome, Reason};
use audit_tower::AuditedRequest as _;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::config::Config;
use crate::refusal::Refusal;

/// Lets those in whose key is known, and puts on record who they are.
pub(crate) async fn authenticate(
    State(config): State<Arc<Config>>,
    mut request: Request,
    next: Next,
) -> Response {
    let presented = bearer(request.headers());
    let Some(caller) = presented.and_then(|key| config.keys.recognize(key)) else {
        return refuse(&request, presented.is_some());
    };
    if let Some(call) = request.audit_call() {
        call.update(|call| {
            call.amend(|draft| {
                draft
                    .api_key_id(caller.key.clone())
                    .role(caller.role.clone())
                    .amend_decision(|decision| decision.auth(Check::allowed()))
            });
        });
    }
    request.extensions_mut().insert(caller.clone());
    next.run(request).await
}

/// The key, from the one place where it may stand: an address ends up in logs.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

fn refuse(request: &Request, was_presented: bool) -> Response {
    let reason = if was_presented {
        "the key is not known"
    } else {
        "no key was presented"
    };
    let message = format!("{reason}: send `Authorization: Bearer KEY`");
    let check = Check::denied(Reason::lossy(reason));
    let mut response = Refusal::new(Outcome::Unauthenticated, message)
        .answer(request, |decision| decision.auth(check));
    let challenge = HeaderValue::from_static("Bearer");
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, challenge);
    response
}
