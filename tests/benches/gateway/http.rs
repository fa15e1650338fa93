//! 64 connections that are kept, to a handler that does nothing.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use audit_tests::bench::{Bench, Options, Sample};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval_at};

use crate::server::Servers;

const N_CONNECTIONS: usize = 64;
const REQUEST: &[u8] = b"GET /nothing HTTP/1.1\r\nhost: gateway\r\nuser-agent: bench/1\r\n\r\n";

/// One request a connection each 16 ms: 4,000 a second.
const PACE: Duration = Duration::from_millis(16);

/// Adds the cases as fast as they go, and at a pace that leaves time between the requests.
pub(crate) fn cases<'a>(
    bench: Bench<'a>,
    runtime: &'a Runtime,
    servers: &Servers,
    options: Options,
) -> Bench<'a> {
    let (plain, audited) = (servers.plain, servers.audited);
    let n_fast = options.scaled(1_000);
    let n_paced = options.scaled(100);
    let run =
        move |address, n_requests, pace| runtime.block_on(requests(address, n_requests, pace));
    bench
        .case("http_plain", move || run(plain, n_fast, None))
        .case_vs("http_audited", "http_plain", move || {
            run(audited, n_fast, None)
        })
        .case("http_plain_paced", move || run(plain, n_paced, Some(PACE)))
        .case_vs("http_audited_paced", "http_plain_paced", move || {
            run(audited, n_paced, Some(PACE))
        })
}

/// So many requests over each connection.
async fn requests(address: SocketAddr, n_requests: usize, pace: Option<Duration>) -> Sample {
    let mut open = Vec::with_capacity(N_CONNECTIONS);
    for _ in 0..N_CONNECTIONS {
        open.push(Connection::open(address).await);
    }
    let begin = Instant::now();
    let mut connections = JoinSet::new();
    // At a pace they take turns; all at once they would wait for each other.
    let turn = pace.unwrap_or_default() / u32::try_from(N_CONNECTIONS).expect("they are few");
    for (number, connection) in (0..).zip(open) {
        connections.spawn(connection.send(n_requests, pace, turn * number));
    }
    let mut took = Vec::with_capacity(N_CONNECTIONS * n_requests);
    while let Some(connection) = connections.join_next().await {
        took.extend(connection.expect("a connection does not panic"));
    }
    let total = begin.elapsed();
    took.sort_unstable();
    let micros = |percent: usize| took[took.len() * percent / 101].as_secs_f64() * 1e6;
    Sample::new(took.len(), total)
        .with("p50_us", micros(50))
        .with("p99_us", micros(99))
}

struct Connection {
    stream: TcpStream,
    /// Every answer is as long as the first one.
    n_bytes: usize,
}

impl Connection {
    async fn open(address: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(address)
            .await
            .expect("the server listens");
        stream.set_nodelay(true).expect("it is a TCP connection");
        stream.write_all(REQUEST).await.expect("the server reads");
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\nok") {
            let n_bytes = stream
                .read_buf(&mut answer)
                .await
                .expect("the server writes");
            assert!(n_bytes > 0, "the server is gone");
        }
        Self {
            stream,
            n_bytes: answer.len(),
        }
    }

    async fn send(
        mut self,
        n_requests: usize,
        pace: Option<Duration>,
        begins: Duration,
    ) -> Vec<Duration> {
        let mut took = Vec::with_capacity(n_requests);
        let mut answer = vec![0; self.n_bytes];
        let begins = tokio::time::Instant::now() + begins;
        let mut ticks = pace.map(|pace| interval_at(begins, pace));
        if let Some(ticks) = &mut ticks {
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        for _ in 0..n_requests {
            if let Some(ticks) = &mut ticks {
                ticks.tick().await;
            }
            let begin = Instant::now();
            self.stream
                .write_all(REQUEST)
                .await
                .expect("the server reads");
            self.stream
                .read_exact(&mut answer)
                .await
                .expect("the server writes");
            took.push(begin.elapsed());
        }
        took
    }
}
