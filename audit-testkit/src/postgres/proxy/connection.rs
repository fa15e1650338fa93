use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;

use super::moment::{Fault, Happening};
use super::{Direction, Shared, postgres_pump, without_delay};

/// How a connection ends, other than by its peers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    Closed,
    Reset,
}

impl From<io::Error> for End {
    /// A peer that has gone without a word, for which the other one has to be left likewise.
    fn from(_: io::Error) -> Self {
        Self::Reset
    }
}

/// What one connection can be held by.
pub(super) struct Connection<'a> {
    shared: &'a Shared,
    /// Whether a fault holds this one, and until which opening of the gates.
    held: watch::Sender<Option<u64>>,
}

impl Connection<'_> {
    /// Waits until nothing holds this direction.
    pub(super) async fn pass(&self, direction: Direction) {
        let held = *self.held.borrow();
        if let Some(n_opened) = held {
            self.shared.gates.opened_since(n_opened).await;
        }
        self.shared.gates.pass(direction).await;
    }

    /// Lets the fault come about whose moment this is.
    pub(super) async fn suffer(&self, happening: &Happening<'_>) -> Result<(), End> {
        // Before the fault is told of: whoever waits for it may resume at once.
        let n_opened = self.shared.gates.n_opened();
        match self.shared.trips.fault_at(happening) {
            None => Ok(()),
            Some(Fault::Cut) => Err(End::Closed),
            Some(Fault::Reset) => Err(End::Reset),
            Some(Fault::Stall) => {
                self.held.send_replace(Some(n_opened));
                Ok(())
            }
        }
    }

    pub(super) fn wants_whole_answers(&self) -> bool {
        self.shared.trips.want_whole_answers()
    }
}

/// Passes on between the two until both have ended, or until they are made to.
pub(super) async fn serve(
    mut client: TcpStream,
    mut server: TcpStream,
    shared: &Shared,
    mut end: watch::Receiver<(u64, End)>,
) {
    // Without it the proxy is slower, and no less right.
    drop(without_delay([&client, &server]));
    let ended = {
        let passed = pass_both(&mut client, &mut server, shared);
        tokio::select! {
            passed = passed => passed,
            // The proxy is gone when the sender is.
            changed = end.changed() => Err(changed.map_or(End::Closed, |()| end.borrow().1)),
        }
    };
    if ended == Err(End::Reset) {
        // A stream that cannot be reset is closed.
        drop(client.set_zero_linger());
        drop(server.set_zero_linger());
    }
}

async fn pass_both(
    client: &mut TcpStream,
    server: &mut TcpStream,
    shared: &Shared,
) -> Result<(), End> {
    let connection = Connection {
        shared,
        held: watch::Sender::new(None),
    };
    let (from_client, mut to_client) = client.split();
    let (from_server, mut to_server) = server.split();
    if !shared.knows_postgres {
        tokio::try_join!(
            pass_bytes(&connection, from_client, to_server, Direction::ToServer),
            pass_bytes(&connection, from_server, to_client, Direction::ToClient),
        )?;
        return Ok(());
    }
    let mut from_client = BufReader::new(from_client);
    let mut from_server = BufReader::new(from_server);
    connection.pass(Direction::ToServer).await;
    postgres_pump::open(&mut from_client, &mut to_client, &mut to_server).await?;
    tokio::try_join!(
        postgres_pump::pass_to_server(&connection, &mut from_client, &mut to_server),
        postgres_pump::pass_to_client(&connection, &mut from_server, &mut to_client),
    )?;
    Ok(())
}

async fn pass_bytes(
    connection: &Connection<'_>,
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    direction: Direction,
) -> Result<(), End> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let n = from.read(&mut buffer).await?;
        connection.pass(direction).await;
        if n == 0 {
            return Ok(to.shutdown().await?);
        }
        to.write_all(&buffer[..n]).await?;
    }
}
