use std::sync::Arc;

use audit_core::event::{Check, Outcome, Reason};
use audit_tower::AuditedRequest as _;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::config::Config;
use crate::keys::Caller;
use crate::rate::Quota;
use crate::refusal::Refusal;

/// Lets a key call as often as its role may.
pub(crate) async fn limit(
    State(config): State<Arc<Config>>,
    request: Request,
    next: Next,
) -> Response {
    let caller: Option<&Caller> = request.extensions().get();
    let known = caller.and_then(|caller| Some((caller, config.roles.of(&caller.role)?)));
    let Some((caller, rules)) = known else {
        return refuse_role(&request);
    };
    let per_minute = rules.calls_per_minute;
    let Ok(quota) = config.limiter.take(&caller.key, per_minute).await else {
        return refuse_undecided(&request);
    };
    if !quota.is_allowed {
        return refuse_rate(&request, per_minute, quota);
    }
    if let Some(call) = request.audit_call() {
        let check = Check::allowed().quota(per_minute, quota.remaining);
        call.update(|call| {
            call.amend(|draft| draft.amend_decision(|decision| decision.rate(check)));
        });
    }
    next.run(request).await
}

fn refuse_rate(request: &Request, per_minute: u32, quota: Quota) -> Response {
    let wait = quota.resets_in.as_secs() + 1;
    let message = format!("{per_minute} calls a minute are allowed: try again in {wait} s");
    let reason = Reason::lossy(format!("more than {per_minute} calls a minute"));
    let check = Check::denied(reason).quota(per_minute, quota.remaining);
    let mut response = Refusal::new(Outcome::RateLimited, message)
        .answer(request, |decision| decision.rate(check));
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(wait));
    response
}

/// The limiter is down: nobody said no, and the record must not say so.
fn refuse_undecided(request: &Request) -> Response {
    let check = Check::error(Reason::lossy("the rate limiter does not answer"));
    Refusal::new(
        Outcome::InternalError,
        "the rate limiter does not answer: try again later",
    )
    .status(StatusCode::SERVICE_UNAVAILABLE)
    .answer(request, |decision| decision.rate(check))
}

/// The key is known, its role is not: a fault in the files, and no reason to let anybody in.
fn refuse_role(request: &Request) -> Response {
    let check = Check::denied(Reason::lossy("the role is not in the file"));
    Refusal::new(Outcome::Denied, "the role of this key may do nothing")
        .answer(request, |decision| decision.authz(check))
}
