//! Between a client and a server that speak by lines, as MCP does over stdio.
//!
//! A [`Relay`] hands on what each side writes, byte for byte: what it does not understand, line ends
//! of both kinds, blank lines, a last line without an end. It shows each message to a
//! [`Conversation`] before it goes on.
//!
//! ```no_run
//! use audit_core::AuditLogger;
//! use audit_mcp::conversation::Conversation;
//! use audit_mcp::relay::Relay;
//! # async fn run(
//! #     logger: AuditLogger,
//! #     child_stdin: tokio::io::DuplexStream,
//! #     child_stdout: tokio::io::DuplexStream,
//! #     stdin: tokio::io::DuplexStream,
//! #     stdout: tokio::io::DuplexStream,
//! # ) {
//! let conversation = Conversation::builder(logger).build();
//! let relay = Relay::new(conversation);
//! let relayed = relay.run((stdin, stdout), (child_stdout, child_stdin)).await;
//! eprintln!("the {:?} ended it", relayed.ended_by);
//! # }
//! ```
//!
//! # Delays and memory
//! * A line is handed on when it is complete, and at once. A call waits for the room of its record.
//! * Of a long line that turns out to be an answer, each piece is handed on as it comes.
//! * Of any line at most the [window](Relay::window) is held. A longer one is handed on as it comes,
//!   all but the bracket that ends the message: a call is on record before that goes on, and without
//!   it there is no call. Its record has the id, the method, the tool and the outcome wherever they
//!   stand in it, and the beginning of what it carries; content behind the window has no digest.
//! * Who does not read is not read from: nothing is queued here.
//!
//! # The end
//! When the client has no more to say, the server's input is closed, and what it still answers is
//! handed on until its output ends: then it is over. Calls without an answer are `cancelled` if the
//! client left first, and `upstream_disconnected` if the server did.

mod pump;

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::Mutex;

use crate::conversation::{Conversation, Origin, Side};
use pump::{End, Pump};

/// Hands on what a client and a server write, and shows it to a conversation.
#[derive(Clone, Debug)]
#[must_use = "a relay does nothing until it runs"]
pub struct Relay {
    conversation: Conversation,
    client: Origin,
    server: Origin,
    window: usize,
}

/// How a relay ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct Relayed {
    /// Who had no more to say first, or could not be written to.
    pub ended_by: Side,
    /// What went wrong with one of the four streams, if anything did.
    pub error: Option<io::Error>,
}

impl Relay {
    /// The window, if nothing is said: 8 MiB.
    pub const DEFAULT_WINDOW: usize = 8 << 20;

    /// Begins a relay whose messages go to this conversation.
    pub fn new(conversation: Conversation) -> Self {
        Self {
            conversation,
            client: Origin::new(),
            server: Origin::server(),
            window: Self::DEFAULT_WINDOW,
        }
    }

    /// What is known of the client.
    pub fn client(mut self, origin: Origin) -> Self {
        self.client = origin;
        self
    }

    /// What is known of the server, for its own requests.
    pub fn server(mut self, origin: Origin) -> Self {
        self.server = origin;
        self
    }

    /// How many bytes of a line are held, in each direction.
    pub fn window(mut self, bytes: usize) -> Self {
        self.window = bytes;
        self
    }

    /// Hands on until it is over. Each pair is what comes from that side, and what goes to it.
    ///
    /// # Cancel safety
    /// Dropped, it hands on nothing more; a line may have gone by in part. The calls in flight stay
    /// in the conversation: say there who is [gone](Conversation::gone).
    pub async fn run<CR, CW, SR, SW>(&self, client: (CR, CW), server: (SR, SW)) -> Relayed
    where
        CR: AsyncRead + Unpin + Send,
        CW: AsyncWrite + Unpin + Send,
        SR: AsyncRead + Unpin + Send,
        SW: AsyncWrite + Unpin + Send,
    {
        let (from_client, to_client) = (client.0, Mutex::new(client.1));
        let (from_server, to_server) = (server.0, Mutex::new(server.1));
        let relayed = {
            let upward = self.upward(from_client, &to_server, &to_client);
            let downward = Pump::new(self, Side::Server, from_server, &to_client, &to_server);
            // What waits for the store inside is large, and whoever runs this may not be.
            let (mut upward, mut downward) = (Box::pin(upward), Box::pin(downward.run()));
            let mut expire = std::pin::pin!(self.expire());
            let mut said_all: Option<End> = None;
            loop {
                tokio::select! {
                    biased;
                    end = &mut downward => break Relayed::new(said_all, end),
                    end = &mut upward, if said_all.is_none() => {
                        if let End::Back(error) = end {
                            break Relayed { ended_by: Side::Client, error: Some(error) };
                        }
                        said_all = Some(end);
                    }
                    () = &mut expire => {}
                }
            }
        };
        self.conversation.gone(relayed.ended_by);
        // It may be gone already; there is nobody else to tell.
        drop(to_client.lock().await.shutdown().await);
        relayed
    }

    /// From the client to the server, whose input is closed behind the last byte.
    async fn upward<R, W, B>(&self, from: R, to: &Mutex<W>, back: &Mutex<B>) -> End
    where
        R: AsyncRead + Unpin + Send,
        W: AsyncWrite + Unpin + Send,
        B: AsyncWrite + Unpin + Send,
    {
        let end = Pump::new(self, Side::Client, from, to, back).run().await;
        match to.lock().await.shutdown().await {
            Err(error) if matches!(end, End::Said) => End::To(error),
            _ => end,
        }
    }

    /// Ends what has waited too long; itself it does not end.
    async fn expire(&self) {
        loop {
            match self.conversation.expire() {
                Some(next) => {
                    let next = std::cmp::max(next, Duration::from_millis(1));
                    tokio::time::sleep(next).await;
                }
                None => std::future::pending().await,
            }
        }
    }

    fn origin(&self, side: Side) -> &Origin {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }
}

impl Relayed {
    /// The server's output ended like this, after the client's had (or not yet).
    fn new(client: Option<End>, server: End) -> Self {
        match (client, server) {
            // What is written to the client does not arrive.
            (_, End::To(error)) => Self {
                ended_by: Side::Client,
                error: Some(error),
            },
            (Some(End::Said), server) => Self {
                ended_by: Side::Client,
                error: server.error(),
            },
            (Some(End::From(error)), _) => Self {
                ended_by: Side::Client,
                error: Some(error),
            },
            (Some(End::To(error) | End::Back(error)), _) => Self {
                ended_by: Side::Server,
                error: Some(error),
            },
            (None, server) => Self {
                ended_by: Side::Server,
                error: server.error(),
            },
        }
    }
}
