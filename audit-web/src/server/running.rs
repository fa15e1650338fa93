//! Takes connections until it is told to end.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::connection::{Peer, Service};
use crate::guard::neighborhood;
use crate::seats::Seats;

/// The most connections at once. Whoever comes then waits to be taken. No address has them all: a
/// connection costs its other end nothing, not even a token.
const MOST_CONNECTIONS: usize = 1_024;
/// As many of one address, or one network of IPv6.
const MOST_OF_ADDRESS: usize = 256;
/// How long what is under way may take once the server was told to end.
const LAST_ANSWERS: Duration = Duration::from_secs(5);
/// How long to wait when the system has no room for one more connection.
const NO_ROOM: Duration = Duration::from_millis(100);

pub(super) async fn run(listener: TcpListener, service: Service, end: impl Future<Output = ()>) {
    let mut connections = JoinSet::new();
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    // A proxy brings everybody's.
    let most_of_one = match service.is_behind_proxy {
        true => MOST_CONNECTIONS,
        false => MOST_OF_ADDRESS,
    };
    let seats = Arc::new(Seats::new(MOST_CONNECTIONS, most_of_one));
    let mut end = std::pin::pin!(end);
    loop {
        let taken = tokio::select! {
            biased;
            () = &mut end => break,
            taken = take(&listener, &room) => taken,
        };
        while connections.try_join_next().is_some() {}
        let Some((stream, peer, place)) = taken else {
            continue;
        };
        let address = neighborhood(peer.0.ip().to_canonical());
        let Some(seat) = seats.take(address) else {
            tracing::debug!(%address, "an address has as many connections as it may have");
            continue;
        };
        let service = service.clone();
        connections.spawn(async move {
            service.connect(stream, peer).await;
            drop((place, seat));
        });
    }
    drop(listener);
    service.ending.begin();
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_ANSWERS, all).await.is_err() {
        tracing::warn!("the server ends while requests are under way");
    }
    connections.shutdown().await;
}

type Taken = (
    tokio::net::TcpStream,
    Peer,
    tokio::sync::OwnedSemaphorePermit,
);

/// The next connection, as soon as there is room for it.
async fn take(listener: &TcpListener, room: &Arc<Semaphore>) -> Option<Taken> {
    // The semaphore is never closed.
    let place = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, address)) => Some((stream, Peer(address), place)),
        Err(error) => {
            tracing::debug!(%error, "a connection cannot be taken");
            tokio::time::sleep(NO_ROOM).await;
            None
        }
    }
}
