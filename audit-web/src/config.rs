use std::io;
use std::net::SocketAddr;

/// Where and how to serve.
#[derive(Clone, Debug)]
#[must_use = "a configuration is handed to `WebServer::builder`"]
pub struct WebConfig {
    pub(crate) listen: SocketAddr,
    pub(crate) exposure: Exposure,
    pub(crate) hosts: Vec<String>,
}

/// Who can reach the server, and what protects what they send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exposure {
    /// A proxy of one's own that ends TLS, and that alone can reach this address.
    BehindProxy,
    /// This machine alone.
    #[default]
    Loopback,
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
        }
    }

    /// Who can reach it: this machine alone, if nothing is said.
    pub const fn exposure(mut self, exposure: Exposure) -> Self {
        self.exposure = exposure;
        self
    }

    /// A name by which the server may be called besides its address.
    pub fn host(mut self, name: impl Into<String>) -> Self {
        self.hosts.push(name.into().to_ascii_lowercase());
        self
    }

    /// Refuses to send tokens and the trail over a network in clear text.
    pub(crate) fn check_exposure(&self) -> io::Result<()> {
        if self.listen.ip().is_loopback() || self.exposure != Exposure::Loopback {
            return Ok(());
        }
        let text = format!(
            "others could reach {}, and nothing would protect tokens and events on their way",
            self.listen
        );
        Err(io::Error::new(io::ErrorKind::InvalidInput, text))
    }
}
