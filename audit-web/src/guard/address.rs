use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::Request;
use axum::http::HeaderMap;

use crate::config::Exposure;
use crate::server::Peer;
use crate::state::Web;

/// From where a request comes; there for every handler.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Address(pub(crate) IpAddr);

/// From where a request comes: the other end of the connection or, where that is a proxy of one's
/// own, whom that proxy names. An IPv4 address that an IPv6 socket took is an IPv4 address: else all of
/// them would be neighbors.
pub(super) fn of(web: &Web, request: &Request) -> IpAddr {
    let peer = request.extensions().get::<Peer>();
    // Every connection has another end.
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Peer(address)| {
        address.ip()
    });
    if matches!(web.config.exposure, Exposure::BehindProxy) {
        let named = forwarded_for(request.headers());
        return named.unwrap_or(peer).to_canonical();
    }
    peer.to_canonical()
}

/// What the proxy itself added: the last address, to which some add a port. Those before it are claims.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let mut lines = headers.get_all("x-forwarded-for").into_iter();
    let last = lines.next_back()?.to_str().ok()?;
    let named = last.rsplit(',').next()?.trim();
    let with_port = || named.parse().map(|it: SocketAddr| it.ip());
    named.parse().or_else(|_| with_port()).ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_the_last_address_is_believed() {
        let mut headers = HeaderMap::new();
        assert_eq!(forwarded_for(&headers), None);
        let claimed = HeaderValue::from_static("192.0.2.1");
        headers.append("x-forwarded-for", claimed);
        let added = HeaderValue::from_static("192.0.2.2, 2001:db8::7");
        headers.append("x-forwarded-for", added);
        assert_eq!(forwarded_for(&headers), "2001:db8::7".parse().ok());
        headers.append("x-forwarded-for", HeaderValue::from_static("nobody"));
        assert_eq!(forwarded_for(&headers), None);
        for with_port in ["192.0.2.9:40123", "[2001:db8::9]:40123"] {
            headers.append("x-forwarded-for", HeaderValue::from_static(with_port));
            let socket: SocketAddr = with_port.parse().unwrap();
            assert_eq!(forwarded_for(&headers), Some(socket.ip()));
        }
    }
}
