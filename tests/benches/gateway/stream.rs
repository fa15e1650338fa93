//! An answer of 1 GiB in pieces: how much memory it takes on its way.

use std::net::SocketAddr;
use std::time::Instant;

use audit_tests::bench::{Bench, Options, Sample};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use crate::server::{N_CHUNKS, Servers};

/// Adds the stream with and without a record; an event is a piece of 64 KiB.
pub(crate) fn cases<'a>(
    bench: Bench<'a>,
    runtime: &'a Runtime,
    servers: &Servers,
    options: Options,
) -> Bench<'a> {
    let (plain, audited) = (servers.plain, servers.audited);
    let n_chunks = options.scaled(N_CHUNKS);
    bench
        .case("stream_plain", move || {
            runtime.block_on(large(plain, n_chunks))
        })
        .case_vs("stream_audited", "stream_plain", move || {
            runtime.block_on(large(audited, n_chunks))
        })
}

async fn large(address: SocketAddr, n_chunks: usize) -> Sample {
    let mut stream = TcpStream::connect(address)
        .await
        .expect("the server listens");
    let request =
        format!("GET /large/{n_chunks} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n");
    let before = reset_peak();
    let begin = Instant::now();
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the server reads");
    let mut buffer = vec![0; 256 << 10];
    let mut n_bytes = 0;
    loop {
        match stream.read(&mut buffer).await.expect("the server writes") {
            0 => break,
            n => n_bytes += n,
        }
    }
    let took = begin.elapsed();
    assert!(n_bytes >= n_chunks * (64 << 10), "{n_bytes} bytes came");
    Sample::new(n_chunks, took).with("peak_kib_more", peak() - before)
}

/// Forgets the largest size so far, and says the present one in KiB.
fn reset_peak() -> f64 {
    // proc(5): 5 resets the peak of the resident set.
    std::fs::write("/proc/self/clear_refs", "5").expect("this is Linux");
    peak()
}

fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().strip_suffix("kB"));
    number
        .and_then(|number| number.trim().parse().ok())
        .expect("the peak is a number")
}
