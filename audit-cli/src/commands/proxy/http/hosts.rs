//! By which names this proxy may be called.

use std::net::{IpAddr, SocketAddr};

/// The hosts that a request may name. A page of a browser can make any name mean this machine (DNS
/// rebinding), and would then be let through to a server that only looks at who connects to it; the
/// server behind cannot check that any more, since it is called by the proxy.
#[derive(Clone, Debug)]
pub(super) struct Hosts {
    names: Vec<String>,
}

impl Hosts {
    pub(super) fn new(listen: SocketAddr, allowed: &[String]) -> Self {
        let mut names: Vec<String> = allowed
            .iter()
            .map(|name| name.to_ascii_lowercase())
            .collect();
        names.push(bare(listen.ip()));
        if listen.ip().is_loopback() || listen.ip().is_unspecified() {
            names.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
        }
        Self { names }
    }

    /// Whether a `Host` header (or the authority of HTTP/2) is one of ours, whatever its port.
    pub(super) fn has(&self, host: Option<&str>) -> bool {
        let Some(host) = host else { return false };
        let Ok(authority) = host.parse::<axum::http::uri::Authority>() else {
            return false;
        };
        let name = authority.host().to_ascii_lowercase();
        self.names.contains(&name) || self.names.iter().any(|it| it == host)
    }
}

fn bare(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_was_made_to_mean_this_machine_is_refused() {
        let hosts = Hosts::new(
            "127.0.0.1:8080".parse().unwrap(),
            &["Audit.internal".to_owned()],
        );
        for host in [
            "127.0.0.1:8080",
            "localhost",
            "LOCALHOST:1",
            "[::1]:8080",
            "audit.internal",
        ] {
            assert!(hosts.has(Some(host)), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "",
            "a@localhost@b",
        ] {
            assert!(!hosts.has(Some(host)), "{host}");
        }
        assert!(!hosts.has(None));
        let open = Hosts::new("192.0.2.7:80".parse().unwrap(), &[]);
        assert!(open.has(Some("192.0.2.7")) && !open.has(Some("localhost")));
    }
}
