use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::problem::Problem;

/// The names by which a server may be called. A page of a browser can make any name mean this
/// machine (DNS rebinding); its requests then are same-origin to the browser, and only their name
/// tells.
#[derive(Clone, Debug)]
pub struct Hosts {
    names: Vec<String>,
}

impl Hosts {
    /// These names, the address that is listened at, and the names of this machine to itself where
    /// nobody else can reach that.
    #[must_use]
    pub fn new(listen: SocketAddr, allowed: &[String]) -> Self {
        let mut names: Vec<_> = allowed.iter().map(|it| it.to_ascii_lowercase()).collect();
        let ip = listen.ip();
        if ip.is_loopback() {
            names.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
        }
        if !ip.is_unspecified() {
            names.push(match ip {
                IpAddr::V4(ip) => ip.to_string(),
                IpAddr::V6(ip) => format!("[{ip}]"),
            });
        }
        Self { names }
    }

    /// Whether a request calls the server by one of the names, and by no other beside it: once in
    /// `Host`, and in its target if that names a host of its own.
    #[must_use]
    pub fn are_called_by<B>(&self, request: &axum::http::Request<B>) -> bool {
        let mut named = request.headers().get_all(header::HOST).into_iter();
        let (name, second) = (named.next(), named.next());
        let name = name.and_then(|name| name.to_str().ok());
        let target = request.uri().authority();
        second.is_none()
            && name.is_some_and(|name| self.has(name))
            && target.is_none_or(|target| self.has(target.as_str()))
    }

    /// Whether this is one of the names, at any port: a forwarded port is another one.
    fn has(&self, host: &str) -> bool {
        let authority = host.parse::<Authority>().ok();
        authority.is_some_and(|authority| {
            let is_bare = !authority.as_str().contains('@');
            let name = authority.host().to_ascii_lowercase();
            is_bare && self.names.contains(&name)
        })
    }
}

/// Refuses whoever calls the server by another name.
pub(super) async fn refuse_others(
    State(hosts): State<Arc<Hosts>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if hosts.are_called_by(&request) {
        return Ok(next.run(request).await);
    }
    let detail = "the server is not called by this name: its --host says by which it is";
    Err(Problem::new(
        StatusCode::MISDIRECTED_REQUEST,
        "unknown-host",
        detail,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_was_made_to_mean_this_machine_is_refused() {
        let hosts = Hosts::new(
            "127.0.0.1:8080".parse().unwrap(),
            &["audit.internal".to_owned()],
        );
        for host in [
            "127.0.0.1:8080",
            "localhost",
            "LOCALHOST:1",
            "[::1]:8080",
            "Audit.internal",
        ] {
            assert!(hosts.has(host), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "localhost.",
            "",
            "evil.example@localhost",
            "a@localhost@b",
        ] {
            assert!(!hosts.has(host), "{host}");
        }
        let open = Hosts::new("192.0.2.7:80".parse().unwrap(), &[]);
        assert!(open.has("192.0.2.7") && !open.has("localhost"));
        let any = Hosts::new("0.0.0.0:80".parse().unwrap(), &[]);
        assert!(!any.has("0.0.0.0") && !any.has("localhost"));
    }
}
