use serde::Serialize;

use super::text::{ClientAddress, ClientName, ClientVersion, Scrub};
use crate::payload::CallerCredential;

/// The program at the other end. Name and version are its own claims; nobody may be let in by
/// them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Client {
    /// The name that the client claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<ClientName>,
    /// The version that the client claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<ClientVersion>,
    /// The address from which the call came, as the gateway saw it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<ClientAddress>,
}

impl Client {
    /// A client of which nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same client with the name it claims.
    #[must_use]
    pub fn name(mut self, name: ClientName) -> Self {
        self.name = Some(name);
        self
    }

    /// The same client with the version it claims.
    #[must_use]
    pub fn version(mut self, version: ClientVersion) -> Self {
        self.version = Some(version);
        self
    }

    /// The same client with the address that the gateway saw.
    #[must_use]
    pub fn address(mut self, address: ClientAddress) -> Self {
        self.address = Some(address);
        self
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Scrub for Client {
    fn scrub(&mut self, credentials: &[CallerCredential]) {
        self.name.scrub(credentials);
        self.version.scrub(credentials);
        self.address.scrub(credentials);
    }
}
