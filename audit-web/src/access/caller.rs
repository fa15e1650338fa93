use std::io;
use std::net::IpAddr;

use axum::http::{HeaderMap, header};

use super::digest::Digest;
use super::secret::Secret;
use super::session::SESSION_COOKIE;
use super::viewer::Viewer;
use crate::state::Web;

/// Who asks, as far as the request proves it; there for every request.
#[derive(Clone, Debug)]
pub(crate) struct Caller(pub(crate) Option<Viewer>);

/// By what a caller proved who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The token itself, in `Authorization`.
    Bearer,
    /// The cookie of a session, which browsers send unasked.
    Session(Digest),
}

impl Caller {
    /// Looks who asks. A token that is presented and not valid is nobody, whatever the cookie says.
    ///
    /// # Errors
    /// The tokens cannot be read: nobody can be let in.
    pub(crate) fn of(web: &Web, headers: &HeaderMap, address: IpAddr) -> io::Result<Self> {
        let Some((token, proof)) = presented(web, headers) else {
            return Ok(Self(None));
        };
        let token = web.tokens.valid(token, web.clock.now())?;
        Ok(Self(token.map(|token| Viewer::new(token, proof, address))))
    }
}

/// The digest of the token that is presented, or that a session stands for.
fn presented(web: &Web, headers: &HeaderMap) -> Option<(Digest, Proof)> {
    if let Some(header) = headers.get(header::AUTHORIZATION) {
        let bearer = bearer(header.to_str().ok()?)?;
        return Some((Digest::of(bearer), Proof::Bearer));
    }
    let id = Digest::of(session_cookie(headers)?);
    let token = web.sessions.token_of(id, web.clock.monotonic())?;
    Some((token, Proof::Session(id)))
}

/// The token of `Bearer TOKEN`.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim();
    let is_bearer = scheme.eq_ignore_ascii_case("bearer") && token.len() <= Secret::MAX_CHARS;
    is_bearer.then_some(token)
}

fn session_cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let cookies = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    let mut found = cookies
        .filter_map(|cookie| cookie.trim().split_once('='))
        .filter(|(name, _)| *name == SESSION_COOKIE)
        .map(|(_, value)| value);
    found
        .next()
        .filter(|value| value.len() <= Secret::MAX_CHARS)
}
