use std::fmt;
use std::num::NonZeroUsize;

use super::message::Message;

/// A moment in a conversation with Postgres at which a proxy does harm.
///
/// The message that makes it has arrived at the proxy, and is not passed on yet.
pub struct Moment {
    is_it: Test,
    pub(super) n_left: NonZeroUsize,
}

/// What is to do harm at a moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// The connection is closed to both sides; the message is lost.
    Cut,
    /// The connection is reset to both sides; the message is lost.
    Reset,
    /// The connection is silent to both sides until [`resume`](super::TcpProxy::resume); the
    /// message is passed on then.
    Stall,
}

type Decide<T> = Box<dyn Fn(&T) -> bool + Send>;

enum Test {
    Answered(Decide<str>),
    FromClient(Decide<Message>),
    FromServer(Decide<Message>),
    Sent(Decide<str>),
}

/// What happens on a connection: a message, and what it means for the commands it is part of.
pub(super) enum Happening<'a> {
    FromClient {
        message: &'a Message,
        /// The statements that the server is to have run when it has heard this.
        sent: &'a [String],
    },
    FromServer {
        message: &'a Message,
        /// The tags of the commands that are done, and told with this.
        answered: &'a [String],
    },
}

impl Moment {
    /// A client sends the end of a command that runs such a statement: its text begins so, in
    /// upper or lower case. That is the query itself, or the sync behind the execution of a
    /// prepared one. Without what is held here, the server does not commit it. (A `COPY` is sent
    /// before its rows: their end is [`from_client`](Self::from_client) of kind `c`.)
    pub fn sent(beginning: impl Into<String>) -> Self {
        let beginning = beginning.into();
        Self::of(Test::Sent(Box::new(move |text| {
            begins_with(text.trim_start(), &beginning)
        })))
    }

    /// The server has done such a command: its tag begins so (`COMMIT`, `INSERT`, `COPY`), and it
    /// is ready for the next one, so what it commits by itself is committed. The client has not
    /// heard of either.
    pub fn answered(tag: impl Into<String>) -> Self {
        let tag = tag.into();
        Self::of(Test::Answered(Box::new(move |text| {
            begins_with(text, &tag)
        })))
    }

    /// A client's message of which this is true, after the one that opens the connection.
    pub fn from_client(is_it: impl Fn(&Message) -> bool + Send + 'static) -> Self {
        Self::of(Test::FromClient(Box::new(is_it)))
    }

    /// A server's message of which this is true.
    pub fn from_server(is_it: impl Fn(&Message) -> bool + Send + 'static) -> Self {
        Self::of(Test::FromServer(Box::new(is_it)))
    }

    /// Not the first time, but this one, counted from 1 over all connections.
    #[must_use]
    pub fn nth(mut self, n: NonZeroUsize) -> Self {
        self.n_left = n;
        self
    }

    fn of(is_it: Test) -> Self {
        Self {
            is_it,
            n_left: NonZeroUsize::MIN,
        }
    }

    pub(super) fn is_it(&self, happening: &Happening<'_>) -> bool {
        match (&self.is_it, happening) {
            (Test::Answered(is_it), Happening::FromServer { answered, .. }) => {
                answered.iter().any(|tag| is_it(tag))
            }
            (Test::Sent(is_it), Happening::FromClient { sent, .. }) => {
                sent.iter().any(|text| is_it(text))
            }
            (Test::FromClient(is_it), Happening::FromClient { message, .. })
            | (Test::FromServer(is_it), Happening::FromServer { message, .. }) => is_it(message),
            _ => false,
        }
    }

    /// Whether answers have to be kept together until the server is ready for the next command.
    pub(super) fn is_of_whole_answers(&self) -> bool {
        matches!(self.is_it, Test::Answered(_))
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.is_it {
            Test::Answered(_) => "answered",
            Test::FromClient(_) => "from_client",
            Test::FromServer(_) => "from_server",
            Test::Sent(_) => "sent",
        };
        f.debug_struct("Moment")
            .field("what", &what)
            .field("n_left", &self.n_left)
            .finish()
    }
}

fn begins_with(text: &str, beginning: &str) -> bool {
    text.get(..beginning.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(beginning))
}
