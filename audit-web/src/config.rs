use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU32;

use crate::server::TlsIdentity;
use crate::throttle::Rate;

/// Where and how to serve.
#[derive(Clone, Debug)]
#[must_use = "a configuration is handed to `WebServer::builder`"]
pub struct WebConfig {
    pub(crate) listen: SocketAddr,
    pub(crate) exposure: Exposure,
    pub(crate) hosts: Vec<String>,
    requests_per_second: u32,
}

/// Who can reach the server, and what protects what they send.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Exposure {
    /// A proxy of one's own that ends TLS, and that alone can reach this address.
    BehindProxy,
    /// This machine alone.
    #[default]
    Loopback,
    /// Whoever can reach the address, by TLS.
    Tls(TlsIdentity),
}

impl WebConfig {
    /// Serves this machine alone, at a port of its loopback; 0 is any that is free.
    pub fn loopback(port: u16) -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], port)))
    }

    /// Serves at this address.
    pub const fn at(listen: SocketAddr) -> Self {
        Self {
            listen,
            exposure: Exposure::Loopback,
            hosts: Vec::new(),
            requests_per_second: 100,
        }
    }

    /// Who can reach it: this machine alone, if nothing is said.
    pub fn exposure(mut self, exposure: Exposure) -> Self {
        self.exposure = exposure;
        self
    }

    /// A name by which the server may be called besides its address.
    pub fn host(mut self, name: impl Into<String>) -> Self {
        self.hosts.push(name.into().to_ascii_lowercase());
        self
    }

    /// How many requests a token, and an address, may send in a second: 100, if nothing is said;
    /// four times as many at once.
    pub const fn requests_per_second(mut self, n: NonZeroU32) -> Self {
        self.requests_per_second = n.get();
        self
    }

    pub(crate) fn rate(&self) -> Rate {
        let per_second = f64::from(self.requests_per_second);
        Rate {
            burst: 4.0 * per_second,
            per_second,
        }
    }

    /// Refuses to send tokens and the trail over a network in clear text.
    ///
    /// # Errors
    /// Others than this machine could reach the address, and nothing says what protects it
    /// ([`InvalidInput`](io::ErrorKind::InvalidInput)).
    pub fn check_exposure(&self) -> io::Result<()> {
        if self.listen.ip().is_loopback() || !matches!(self.exposure, Exposure::Loopback) {
            return Ok(());
        }
        let text = format!(
            "others could reach {}, and nothing would protect tokens and events on their way",
            self.listen
        );
        Err(io::Error::new(io::ErrorKind::InvalidInput, text))
    }
}
