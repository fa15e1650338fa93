//! What being on record costs a gateway: `cargo xtask bench gateway [--json]`.
//!
//! The rivals are the same gateway and the same server without a record, in the same run.

#![allow(
    clippy::expect_used,
    reason = "a bench whose premise fails has no figures to show"
)]

mod http;
mod server;
mod stdio;
mod stream;

use std::error::Error;

use audit_tests::bench::{Bench, Options};

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_args()?;
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let servers = runtime.block_on(server::Servers::start(folder.path()))?;
    let bench = http::cases(Bench::new(), &runtime, &servers, options);
    let bench = stream::cases(bench, &runtime, &servers, options);
    stdio::cases(bench, folder.path(), options).run(options);
    runtime.block_on(servers.stop())
}
