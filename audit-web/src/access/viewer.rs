use std::sync::Arc;

use audit_core::event::ApiKeyId;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::caller::{Caller, Proof};
use super::digest::Digest;
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
}

impl Viewer {
    pub(super) fn new(token: Token, proof: Proof) -> Self {
        Self {
            token: Arc::new(token),
            proof,
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

    /// What the token allows.
    pub(crate) fn scopes(&self) -> Scopes {
        self.token.scopes
    }

    /// How it was proved who asks.
    pub(crate) fn proof(&self) -> Proof {
        self.proof
    }

    /// What recognizes the token.
    pub(crate) fn digest(&self) -> Digest {
        self.token.digest
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
