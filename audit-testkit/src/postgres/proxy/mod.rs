mod connection;
mod gate;
mod message;
mod moment;
mod postgres_pump;
mod statements;
mod trips;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, io};

use tokio::net::{TcpListener, TcpStream, ToSocketAddrs, lookup_host};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

use super::PostgresError;
use super::port::free_port;
use connection::{End, serve};
use gate::Gates;
pub use message::Message;
pub use moment::{Fault, Moment};
pub use trips::Trip;
use trips::Trips;

/// A stretch of network that a test can cut, reset, stall and close.
///
/// It listens on a port of 127.0.0.1 and passes on to a target. [`start`](Self::start) passes
/// bytes; [`postgres`](Self::postgres) knows the messages of the Postgres protocol, and can do
/// harm at an exact [`Moment`]: before a commit is sent, after it was done and before the client
/// hears of it.
///
/// It serves on the runtime that it was started on, until it is dropped.
pub struct TcpProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: Mutex<Option<JoinHandle<()>>>,
}

/// One of the two ways through the proxy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Direction {
    /// From the server, back to the client.
    ToClient,
    /// From the client, on to the server.
    ToServer,
}

/// What the proxy and its connections have in common.
struct Shared {
    target: SocketAddr,
    knows_postgres: bool,
    /// How the connections of this moment end, and a number that is new each time.
    end: watch::Sender<(u64, End)>,
    gates: Gates,
    trips: Trips,
    n_open: watch::Sender<usize>,
}

impl TcpProxy {
    /// Passes bytes on to this target.
    ///
    /// # Errors
    /// If the target has no address, or there is no port to listen on.
    pub async fn start(target: impl ToSocketAddrs) -> Result<Self, PostgresError> {
        Self::listen(target, false).await
    }

    /// Passes on to the Postgres at this target, without TLS: a client that asks for it is told
    /// that there is none, and one that insists is disappointed.
    ///
    /// # Errors
    /// If the target has no address, or there is no port to listen on.
    pub async fn postgres(target: impl ToSocketAddrs) -> Result<Self, PostgresError> {
        Self::listen(target, true).await
    }

    async fn listen(
        target: impl ToSocketAddrs,
        knows_postgres: bool,
    ) -> Result<Self, PostgresError> {
        let target = lookup_host(target)
            .await
            .map_err(PostgresError::because("the proxy's target has no address"))?
            .next()
            .ok_or_else(|| PostgresError::new("the proxy's target has no address"))?;
        let proxy = Self {
            address: (Ipv4Addr::LOCALHOST, free_port()?).into(),
            shared: Arc::new(Shared {
                target,
                knows_postgres,
                end: watch::Sender::new((0, End::Closed)),
                gates: Gates::default(),
                trips: Trips::default(),
                n_open: watch::Sender::new(0),
            }),
            listening: Mutex::new(None),
        };
        proxy.admit().await?;
        Ok(proxy)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same database, through the proxy.
    ///
    /// # Errors
    /// If the address is no URL with a host.
    pub fn url(&self, database_url: &str) -> Result<String, PostgresError> {
        let failed = "the database's address is no URL that a proxy can stand before";
        let mut url: Url = database_url
            .parse()
            .map_err(PostgresError::because(failed))?;
        url.set_ip_host(self.address.ip())
            .and_then(|()| url.set_port(Some(self.address.port())))
            .map_err(|()| PostgresError::new(failed))?;
        Ok(url.into())
    }

    /// Closes all connections, as a peer does that ends in good order.
    pub fn cut(&self) {
        self.end_all(End::Closed);
    }

    /// Resets all connections, as a peer does that has no memory of them.
    pub fn reset(&self) {
        self.end_all(End::Reset);
    }

    /// Passes nothing on, in neither direction, and keeps the connections: a network that is
    /// silent.
    pub fn stall(&self) {
        self.stall_one(Direction::ToClient);
        self.stall_one(Direction::ToServer);
    }

    /// Passes nothing on in one direction.
    pub fn stall_one(&self, direction: Direction) {
        self.shared.gates.shut(direction);
    }

    /// Passes on again, what was held first; connections that a [`Fault::Stall`] holds, too.
    pub fn resume(&self) {
        self.shared.gates.open();
    }

    /// Refuses new connections, as a machine does where nobody listens. Those that are open stay.
    pub async fn refuse(&self) {
        let listening = self.lock_listening().take();
        if let Some(listening) = listening {
            listening.abort();
            // That it was aborted is what was asked for.
            drop(listening.await);
        }
    }

    /// Takes new connections again, on the same port.
    ///
    /// # Errors
    /// If somebody else has taken the port.
    pub async fn admit(&self) -> Result<(), PostgresError> {
        if self.lock_listening().is_some() {
            return Ok(());
        }
        let listener = TcpListener::bind(self.address)
            .await
            .map_err(PostgresError::because(format!(
                "the proxy cannot listen on {}",
                self.address
            )))?;
        let shared = Arc::clone(&self.shared);
        let listening = tokio::spawn(accept(listener, shared));
        *self.lock_listening() = Some(listening);
        Ok(())
    }

    /// Does harm at a moment, once, to the connection where it comes about.
    ///
    /// Of several that wait for the same moment, the one that was armed first comes first, and
    /// the others see that moment too when it does not end the connection.
    pub fn arm(&self, moment: Moment, fault: Fault) -> Trip {
        self.shared.trips.arm(moment, fault)
    }

    /// Waits until so many connections are open, from clients through to the target.
    pub async fn until_open(&self, n_open: usize) {
        let mut open = self.shared.n_open.subscribe();
        // The sender lives as long as this proxy.
        drop(open.wait_for(|&n| n == n_open).await);
    }

    fn end_all(&self, how: End) {
        self.shared
            .end
            .send_modify(|(number, end)| (*number, *end) = (*number + 1, how));
    }

    fn lock_listening(&self) -> std::sync::MutexGuard<'_, Option<JoinHandle<()>>> {
        self.listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for TcpProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpProxy")
            .field("address", &self.address)
            .field("target", &self.shared.target)
            .finish_non_exhaustive()
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        if let Some(listening) = self.lock_listening().take() {
            listening.abort();
        }
        self.cut();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        // What fails here is a client that has gone already.
        if let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass_on(client, Arc::clone(&shared)));
        }
    }
}

async fn pass_on(client: TcpStream, shared: Arc<Shared>) {
    // Subscribed first: a cut from now on is one of this connection.
    let end = shared.end.subscribe();
    let Ok(server) = TcpStream::connect(shared.target).await else {
        drop(client.set_zero_linger());
        return;
    };
    shared.n_open.send_modify(|n| *n += 1);
    serve(client, server, &shared, end).await;
    shared.n_open.send_modify(|n| *n -= 1);
}

/// Without a wait for more to send, which would be a delay that nobody asked for.
fn without_delay(streams: [&TcpStream; 2]) -> io::Result<()> {
    streams.into_iter().try_for_each(|it| it.set_nodelay(true))
}
