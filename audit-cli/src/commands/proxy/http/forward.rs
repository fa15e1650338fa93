//! The client side: what came in goes on to the server behind, and as little as possible changes.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{self, HeaderMap, HeaderName};
use axum::http::uri::{Authority, PathAndQuery, Scheme};
use axum::http::{Request, Response, Uri};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::failure::{Exit, Failure};

/// Headers that are about one connection and not about the message (RFC 9110, section 7.6.1).
const OF_THE_CONNECTION: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends requests on.
#[derive(Clone, Debug)]
pub(super) struct Forwarder {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    scheme: Scheme,
    authority: Authority,
    /// The path of the server, for requests that name none.
    path: PathAndQuery,
}

/// What an upstream sends back.
pub(super) type Answer = Response<hyper::body::Incoming>;

impl Forwarder {
    pub(super) fn new(upstream: &url::Url) -> Result<Self, Failure> {
        let usage = |why: &str| {
            Failure::new(format!("--upstream {upstream} cannot be used: {why}")).exit(Exit::Usage)
        };
        let uri: Uri = upstream
            .as_str()
            .parse()
            .map_err(|_| usage("it is no address"))?;
        let scheme = uri
            .scheme()
            .filter(|it| **it == Scheme::HTTP || **it == Scheme::HTTPS);
        let scheme =
            scheme.ok_or_else(|| usage("it begins neither with http:// nor with https://"))?;
        let authority = uri.authority().ok_or_else(|| usage("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(usage(
                "it holds a password: let the client send it in a header",
            ));
        }
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            scheme: scheme.clone(),
            authority: authority.clone(),
            path: uri
                .path_and_query()
                .cloned()
                .unwrap_or(PathAndQuery::from_static("/")),
        })
    }

    /// The name of the server in records.
    pub(super) fn authority(&self) -> &str {
        self.authority.as_str()
    }

    /// Sends a request on, and waits for the head of the answer.
    pub(super) async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Answer, hyper_util::client::legacy::Error> {
        let asked = request.uri().path_and_query().cloned();
        let path = asked
            .filter(|it| it.as_str() != "/")
            .unwrap_or_else(|| self.path.clone());
        let mut uri = axum::http::uri::Parts::default();
        uri.scheme = Some(self.scheme.clone());
        uri.authority = Some(self.authority.clone());
        uri.path_and_query = Some(path);
        if let Ok(uri) = Uri::from_parts(uri) {
            *request.uri_mut() = uri;
        }
        let headers = request.headers_mut();
        remove_of_the_connection(headers);
        // The name by which the client calls this proxy is none of the server's.
        headers.remove(header::HOST);
        // What is packed cannot be read on its way.
        headers.remove(header::ACCEPT_ENCODING);
        headers.remove(header::EXPECT);
        headers.remove(header::CONTENT_LENGTH);
        let mut answer = self.client.request(request).await?;
        remove_of_the_connection(answer.headers_mut());
        Ok(answer)
    }
}

fn remove_of_the_connection(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in OF_THE_CONNECTION.into_iter().chain(named) {
        headers.remove(name);
    }
}
