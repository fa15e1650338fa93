//! Pages of the dashboard over HTTP, from the first byte of the question to the last of the answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use audit_core::event::Timestamp;
use audit_core::{AuditLogger, Clock as _, SystemClock};
use audit_memory::MemoryStore;
use audit_tests::bench::Bench;
use audit_web::access::{Scope, Secret, Token, TokenName, Tokens};
use audit_web::{WebConfig, WebServer};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::runtime::Runtime;

use crate::Result;
use crate::filled::Filled;

/// A browser that is logged in.
struct Visitor {
    address: SocketAddr,
    secret: Secret,
    client: Client<HttpConnector, Empty<Bytes>>,
}

/// Adds the pages that people wait for.
pub(crate) fn cases<'a>(
    bench: Bench<'a>,
    runtime: &'a Runtime,
    store: &'a Filled,
    n: usize,
) -> Result<Bench<'a>> {
    let visitor = Arc::new(runtime.block_on(Visitor::of(store))?);
    let now = store.writer_began().as_micros();
    // Each time of another moment: what the server remembers for a while is no answer to it.
    let at = move |number: usize| {
        let back = i64::try_from(number).expect("it fits") * 1_000_000;
        let moment = Timestamp::from_micros(now - back).expect("it is after 1970");
        moment.to_string()
    };
    let pages = |name: &'static str, n: usize, path: Box<dyn Fn(usize) -> String + 'a>| {
        let visitor = Arc::clone(&visitor);
        move |bench: Bench<'a>| {
            bench.case(name, move || {
                store.queries(runtime, n, async |number| visitor.get(&path(number)).await)
            })
        }
    };
    let explorer = pages(
        "page_explorer",
        n,
        Box::new(|_| "/explore?q=&n=100".to_owned()),
    );
    let deep = pages(
        "page_explorer_1000",
        n,
        Box::new(|number| format!("/explore?q=&n=100&cursor={}", store.cursor(number))),
    );
    let overview = pages(
        "page_overview_24h",
        n.div_ceil(4),
        Box::new(move |number| format!("/?at={}", at(number))),
    );
    let facets = pages(
        "page_facets_24h",
        n.div_ceil(4),
        Box::new(move |number| {
            let at = at(number);
            format!("/explore/counts?q=since:24h+until:{at}&at={at}")
        }),
    );
    Ok(facets(overview(deep(explorer(bench)))))
}

impl Visitor {
    async fn of(store: &Filled) -> Result<Self> {
        let tokens = Arc::new(Tokens::in_memory());
        let secret = Secret::random();
        let name = TokenName::new("bench")?;
        let now = SystemClock::new().now();
        assert!(tokens.add(Token::new(
            name,
            Scope::Auditor.into(),
            secret.digest(),
            now
        )));
        let logger = AuditLogger::builder(MemoryStore::new()).build()?;
        let reader = Arc::new(store.reader.clone());
        let config = WebConfig::loopback(0);
        let server = WebServer::builder(reader, logger, tokens, config).build();
        let bound = server.bind().await?;
        let address = bound.address();
        // It ends with the runtime.
        tokio::spawn(bound.serve(std::future::pending()));
        Ok(Self {
            address,
            secret,
            client: Client::builder(TokioExecutor::new()).build_http(),
        })
    }

    async fn get(&self, path: &str) {
        let request = Request::get(format!("http://{}{path}", self.address))
            .header(header::ACCEPT, "text/html")
            .header(
                header::AUTHORIZATION,
                format!("Bearer {}", self.secret.reveal()),
            )
            .body(Empty::new())
            .expect("it is a request");
        let get = async {
            let answer = self
                .client
                .request(request)
                .await
                .expect("the server is there");
            let status = answer.status();
            let body = answer.into_body().collect().await.expect("it is whole");
            (status, body.to_bytes())
        };
        let (status, body) = tokio::time::timeout(Duration::from_secs(60), get)
            .await
            .expect("an answer within a minute");
        assert!(status.is_success(), "{path}: {status}");
        assert!(
            !String::from_utf8_lossy(&body).contains("class=\"problem\""),
            "{path}"
        );
    }
}
