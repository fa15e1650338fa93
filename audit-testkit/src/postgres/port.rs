use std::net::{Ipv4Addr, TcpListener};

use super::PostgresError;

/// A free port of the loopback address, below those that the system hands out by itself.
///
/// A server that is killed and started again must find its port free. Out of the system's own
/// range a client could have taken it meanwhile, or, knocking at a dead server's door, could even
/// be connected to itself.
pub(super) fn free_port() -> Result<u16, PostgresError> {
    const TRIES: usize = 100;
    for _ in 0..TRIES {
        let port = rand::random_range(15_000..32_000);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(PostgresError::new(format!(
        "none of {TRIES} ports between 15000 and 32000 is free on 127.0.0.1"
    )))
}
