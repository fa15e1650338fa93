//! How a browser gets in: a token is exchanged for the cookie of a session, and never stands in a URL.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use bytes::Bytes;
use maud::{Markup, html};

use crate::access::{Caller, Digest, Proof, SESSION_COOKIE, Secret, Sessions, Viewer};
use crate::dashboard;
use crate::guard::{Address, neighborhood, too_many_requests};
use crate::problem::Problem;
use crate::state::Web;

pub(crate) fn routes() -> Router<Arc<Web>> {
    Router::new()
        .route("/login", get(form).post(log_in))
        .route("/logout", post(log_out))
}

async fn form() -> Markup {
    page(None)
}

async fn log_in(
    State(web): State<Arc<Web>>,
    Extension(from): Extension<Address>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Response, Problem> {
    let from = neighborhood(from.0);
    let allowed = web.logins.take(from, web.clock.monotonic());
    allowed.map_err(too_many_requests)?;
    let mut fields = form_urlencoded::parse(&body);
    let token = fields.find(|(name, _)| name == "token");
    let token = token.map(|(_, value)| value.trim().to_owned());
    let token = token.filter(|token| token.len() <= Secret::MAX_CHARS);
    let digest = token.map(|token| Digest::of(&token));
    let valid = match digest {
        Some(digest) => web
            .tokens
            .valid(digest, web.clock.now())
            .map_err(|error| Problem::no_tokens(&error))?,
        None => None,
    };
    let (Some(digest), Some(_)) = (digest, valid) else {
        let refusal = "This is no valid token: it may be mistyped, have expired, or been revoked.";
        return Ok((StatusCode::UNAUTHORIZED, page(Some(refusal))).into_response());
    };
    web.logins.forgive(&from);
    if let Caller(Some(before)) = caller {
        end_session(&web, &before);
    }
    let session = web.sessions.begin(digest, web.clock.monotonic());
    let max_age = Sessions::MAX_AGE.as_secs();
    Ok(moved_to("/", &cookie(session.reveal(), max_age)))
}

async fn log_out(State(web): State<Arc<Web>>, viewer: Viewer) -> Response {
    end_session(&web, &viewer);
    moved_to("/login", &cookie("", 0))
}

fn end_session(web: &Web, viewer: &Viewer) {
    if let Proof::Session(id) = viewer.proof() {
        web.sessions.end(id);
    }
}

fn cookie(value: &str, max_age: u64) -> String {
    format!(
        "{SESSION_COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={max_age}"
    )
}

fn moved_to(path: &str, cookie: &str) -> Response {
    let mut response = Redirect::to(path).into_response();
    // Hex digits and static text are a header.
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

fn page(refusal: Option<&str>) -> Markup {
    dashboard::page(
        "Log in",
        &html! {
            h1 { "Audit" }
            @if let Some(refusal) = refusal {
                p.problem role="alert" { (refusal) }
            }
            form method="post" action="/login" {
                label for="token" { "Token" }
                input #token name="token" type="password" autocomplete="off" required
                    autofocus spellcheck="false" placeholder="audit_…";
                button { "Log in" }
            }
            p { "A token is made with " code { "audit token create NAME --scope viewer" } "." }
        },
    )
}
