//! One event per request, whatever its service and its body do, and whenever somebody leaves.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};

use audit_core::event::{AuditEvent, Outcome};
use audit_tower::AuditedRequest as _;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Body as _;
use proptest::prelude::*;
use tower::{Layer as _, Service as _};

use crate::support::{Audit, Script, Step};

/// What a service does behind so many polls.
#[derive(Clone, Debug)]
enum Act {
    Answer,
    Fail,
    Panic,
}

#[derive(Clone, Debug)]
struct Case {
    n_waits: usize,
    act: Act,
    said: Option<Outcome>,
    status: u16,
    body: Script,
    captures: bool,
    /// After so many polls, of the future or of the body, the caller leaves.
    n_polls: usize,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..40_usize).prop_map(|n| Step::Data(Bytes::from(vec![b'7'; n]))),
        3 => Just(Step::Pending),
        1 => Just(Step::Trailers(HeaderMap::new())),
        1 => Just(Step::Fail),
        1 => Just(Step::Panic),
        1 => Just(Step::End),
    ];
    prop::collection::vec(step, 0..8)
}

fn cases() -> impl Strategy<Value = Case> {
    let act = prop_oneof![8 => Just(Act::Answer), 1 => Just(Act::Fail), 1 => Just(Act::Panic)];
    let said = prop::option::of(prop::sample::select(vec![
        Outcome::Ok,
        Outcome::Denied,
        Outcome::ToolError,
    ]));
    let status = prop::sample::select(vec![200_u16, 204, 403, 404, 500]);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (0..3_usize, act, said, status, steps(), flags, 0..16_usize).prop_map(
        |(n_waits, act, said, status, steps, (is_eager, is_exact, captures), n_polls)| Case {
            n_waits,
            act,
            said,
            status,
            body: Script {
                is_eager,
                is_exact,
                ..Script::new(steps)
            },
            captures,
            n_polls,
        },
    )
}

/// Polls once, and says whether that panicked.
fn contained<T>(poll: impl FnOnce() -> Poll<T>) -> Result<Poll<T>, ()> {
    catch_unwind(AssertUnwindSafe(poll)).map_err(drop)
}

/// Polls by hand, drops, and gives what was recorded.
async fn run(case: Case) -> Vec<AuditEvent> {
    let audit = Audit::new();
    drive(&audit, case);
    audit.all().await
}

fn drive(audit: &Audit, case: Case) {
    let Case {
        n_waits,
        act,
        said,
        status,
        body,
        captures,
        mut n_polls,
    } = case;
    let service = tower::service_fn(move |request: Request<()>| {
        if let Some(said) = said {
            request.audit_call().unwrap().say(said);
        }
        let (act, body) = (act.clone(), body.clone());
        async move {
            for _ in 0..n_waits {
                let mut is_second = false;
                std::future::poll_fn(|_| match std::mem::replace(&mut is_second, true) {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                })
                .await;
            }
            match act {
                Act::Answer => {
                    let response = Response::builder().header("content-type", "application/json");
                    Ok(response.status(status).body(body).unwrap())
                }
                Act::Fail => Err("as the case says"),
                Act::Panic => std::panic::panic_any("as the case says"),
            }
        }
    });
    let layer = match captures {
        true => audit.layer().capture_responses(),
        false => audit.layer(),
    };
    let mut service = layer.layer(service);
    let mut context = Context::from_waker(std::task::Waker::noop());
    let mut future = Box::pin(service.call(Request::new(())));
    let response = loop {
        if n_polls == 0 {
            return;
        }
        n_polls -= 1;
        match contained(|| future.as_mut().poll(&mut context)) {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(Ok(response))) => break response,
            Ok(Poll::Ready(Err(_))) | Err(()) => return,
        }
    };
    drop(future);
    let mut body = Box::pin(response.into_body());
    // As a server does: it asks for the end before it decides to go on.
    while !body.is_end_stream() && n_polls > 0 {
        n_polls -= 1;
        match contained(|| body.as_mut().poll_frame(&mut context)) {
            Ok(Poll::Pending | Poll::Ready(Some(Ok(_)))) => {}
            Ok(Poll::Ready(None | Some(Err(_)))) | Err(()) => return,
        }
    }
}

/// What the record should say; `None` if the request had not begun.
fn expected(case: &Case) -> Option<Outcome> {
    let mut n_polls = case.n_polls.checked_sub(1)?;
    let said = case.said;
    let refused = said.filter(|said| said.is_refusal());
    let failed = |said: Option<Outcome>| said.filter(|said| !said.is_ok());
    if n_polls < case.n_waits {
        return Some(refused.unwrap_or(Outcome::Cancelled));
    }
    n_polls -= case.n_waits;
    match case.act {
        Act::Answer => {}
        Act::Fail => return Some(failed(said).unwrap_or(Outcome::InternalError)),
        Act::Panic => return Some(Outcome::Aborted),
    }
    let answered = match case.status {
        200 | 204 => Outcome::Ok,
        403 => Outcome::Denied,
        404 => Outcome::InvalidRequest,
        _ => Outcome::InternalError,
    };
    let known = said.unwrap_or(answered);
    let body = &case.body;
    if case.status == 204 || body.is_end_stream() {
        return Some(known);
    }
    let announced = body.size_hint().exact();
    let mut n_bytes = 0;
    let mut rest = body.clone();
    for _ in 0..n_polls {
        match rest.steps.pop_front() {
            None | Some(Step::End) => return Some(known),
            Some(Step::Fail) => {
                return Some(
                    Some(known)
                        .filter(|it| !it.is_ok())
                        .unwrap_or(Outcome::InternalError),
                );
            }
            Some(Step::Panic) => return Some(Outcome::Aborted),
            Some(Step::Data(data)) => n_bytes += data.len(),
            Some(Step::Pending | Step::Trailers(_)) => {}
        }
        if rest.is_end_stream() {
            return Some(known);
        }
    }
    let is_all_out = announced.is_some_and(|size| size <= u64::try_from(n_bytes).unwrap());
    Some(match known {
        known if is_all_out || known.is_refusal() => known,
        _ => Outcome::Cancelled,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_request_that_began_is_one_event_with_its_true_outcome(case in cases()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let expected = expected(&case);
        let events = runtime.block_on(run(case));
        let outcomes: Vec<_> = events.iter().map(|event| event.outcome).collect();
        prop_assert_eq!(outcomes, Vec::from_iter(expected));
    }
}

#[test]
fn a_body_that_was_never_polled_is_recorded_too() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let case = Case {
        n_waits: 0,
        act: Act::Answer,
        said: None,
        status: 200,
        body: Script::new([Step::data("a")]),
        captures: true,
        n_polls: 1,
    };
    let events = runtime.block_on(run(case));
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].outcome, Outcome::Cancelled);
}
