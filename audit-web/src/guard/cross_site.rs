use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::access::{Caller, Proof};
use crate::problem::Problem;

/// Refuses what a page of another site makes a browser send: whatever changes something and does not
/// come from a page of this server, and whatever is asked in the name of a session behind its user's
/// back. Another port of this machine is the same site, so the cookie comes along: its answers stay
/// hidden, but reads would stand in the trail that nobody asked for.
///
/// Browsers say where a request comes from (`Sec-Fetch-Site`, and `Origin` before that); programs say
/// neither, and present their token themselves. What a browser sends unasked, its cookie, is believed
/// only where the browser said so.
pub(super) async fn refuse(request: Request, next: Next) -> Result<Response, Problem> {
    let is_safe = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    let (headers, has_session) = (request.headers(), has_session(&request));
    let is_allowed = if is_safe {
        !has_session || is_visible(headers)
    } else {
        is_own(headers, has_session)
    };
    if is_allowed {
        return Ok(next.run(request).await);
    }
    let detail = "the request comes from a page of another site, or from none: it is refused";
    Err(Problem::new(StatusCode::FORBIDDEN, "cross-site", detail))
}

fn has_session(request: &Request) -> bool {
    let caller = request.extensions().get::<Caller>();
    let viewer = caller.and_then(|Caller(viewer)| viewer.as_ref());
    viewer.is_some_and(|viewer| viewer.proof() != Proof::Bearer)
}

/// Whether the browser asks for a page of this server, or for what its user then sees: a link leads
/// there from anywhere. Browsers that do not say so send no cookie along from another site.
fn is_visible(headers: &HeaderMap) -> bool {
    let Some(site) = headers.get("sec-fetch-site") else {
        return true;
    };
    let says = |name: &str, word: &str| headers.get(name).is_some_and(|value| value == word);
    site == "same-origin"
        || site == "none"
        || (says("sec-fetch-mode", "navigate") && says("sec-fetch-dest", "document"))
}

fn is_own(headers: &HeaderMap, has_session: bool) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    match headers.get(header::ORIGIN) {
        Some(origin) => {
            let origin = origin.to_str().ok().and_then(|text| text.split_once("://"));
            let host = headers
                .get(header::HOST)
                .and_then(|host| host.to_str().ok());
            origin.is_some_and(|(_, of)| host.is_some_and(|host| of.eq_ignore_ascii_case(host)))
        }
        None => !has_session,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(headers: &[(&'static str, &'static str)], has_session: bool) -> bool {
        let headers = headers.iter().map(|(name, value)| {
            let name = header::HeaderName::from_static(name);
            (name, header::HeaderValue::from_static(value))
        });
        is_own(&headers.collect(), has_session)
    }

    #[test]
    fn only_pages_of_this_server_may_change_something() {
        assert!(own(&[("sec-fetch-site", "same-origin")], true));
        for site in ["cross-site", "same-site", "none", "Same-Origin"] {
            // A page of this origin does not undo what the browser said.
            let origin = ("origin", "http://localhost:1");
            let host = ("host", "localhost:1");
            assert!(
                !own(&[("sec-fetch-site", site), origin, host], false),
                "{site}"
            );
        }
        let from = |origin| own(&[("origin", origin), ("host", "localhost:1")], true);
        assert!(from("http://localhost:1"));
        for origin in [
            "http://localhost:2",
            "https://evil.example",
            "null",
            "localhost:1",
        ] {
            assert!(!from(origin), "{origin}");
        }
        assert!(own(&[], false), "a program");
        assert!(!own(&[], true), "a browser that says nothing");
    }
}
