use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use audit_core::event::ApiKeyId;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::caller::{Caller, Proof};
use super::name::TokenName;
use super::scope::{Scope, Scopes};
use super::token::Token;
use crate::problem::Problem;
use crate::state::Web;

/// Somebody who was let in. As an argument of a handler it lets nobody else in; what he may do there
/// is asked of it.
#[derive(Clone, Debug)]
pub(crate) struct Viewer {
    token: Arc<Token>,
    proof: Proof,
    address: IpAddr,
}

impl Viewer {
    pub(super) fn new(token: Token, proof: Proof, address: IpAddr) -> Self {
        Self {
            token: Arc::new(token),
            proof,
            address,
        }
    }

    /// The name of the token.
    pub(crate) fn name(&self) -> &TokenName {
        &self.token.name
    }

    /// The name, as it stands in the records of what was read.
    pub(crate) fn api_key_id(&self) -> ApiKeyId {
        ApiKeyId::lossy(self.token.name.as_str())
    }

    /// From where it asks.
    pub(crate) fn address(&self) -> IpAddr {
        self.address
    }

    /// What the token allows.
    pub(crate) fn scopes(&self) -> Scopes {
        self.token.scopes
    }

    /// How it was proved who asks.
    pub(crate) fn proof(&self) -> Proof {
        self.proof
    }

    /// Whether it would still be let in. Of a session that is use.
    ///
    /// # Errors
    /// The tokens cannot be read.
    pub(crate) fn is_valid(&self, web: &Web) -> io::Result<bool> {
        let has_session = match self.proof {
            Proof::Bearer => true,
            Proof::Session(id) => web.sessions.token_of(id, web.clock.monotonic()).is_some(),
        };
        let token = web.tokens.valid(self.token.digest, web.clock.now())?;
        Ok(has_session && token.is_some())
    }

    /// Whether it may see payloads and take exports; each is recorded.
    pub(crate) fn may_see_payloads(&self) -> bool {
        self.scopes().allow(Scope::Auditor)
    }

    /// Whether it may see the state of the system.
    pub(crate) fn may_see_system(&self) -> bool {
        self.scopes().allow(Scope::Admin)
    }

    /// Lets nobody through without this scope.
    ///
    /// # Errors
    /// The token has another one.
    pub(crate) fn needs(&self, scope: Scope) -> Result<(), Problem> {
        if self.scopes().allow(scope) {
            return Ok(());
        }
        Err(Problem::forbidden(scope, self.scopes()))
    }
}

impl FromRequestParts<Arc<Web>> for Viewer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Web>) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Caller>();
        caller
            .and_then(|Caller(viewer)| viewer.clone())
            .ok_or_else(Problem::unauthorized)
    }
}
