use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use audit_core::{Error, ErrorKind};
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

/// How to reach the database, and how much of it to use.
///
/// Built in code or read from a URL: what libpq knows (`sslmode`, `sslrootcert`, `sslcert`,
/// `sslkey`, `application_name`, `options`), and the settings below by the names of their methods,
/// durations as `500ms`, `30s` or `5m`. `Debug` shows no password.
///
/// A server on another machine is spoken to over TLS alone (`sslmode=require`), unless the URL or
/// `PGSSLMODE` says otherwise; `verify-full` also makes sure that it is the right one.
///
/// ```
/// use std::time::Duration;
///
/// use audit_postgres::{Pooler, PostgresConfig};
///
/// let config = PostgresConfig::from_url("postgres://gateway@db.internal/audit?sslmode=verify-full")?
///     .pooler(Pooler::Transaction)
///     .statement_timeout(Duration::from_secs(10));
/// // The same in one line, for a file or a variable.
/// PostgresConfig::from_url(
///     "postgres://gateway@db.internal/audit?sslmode=verify-full&pooler=transaction&statement_timeout=10s",
/// )?;
/// # let _ = config;
/// # Ok::<(), audit_core::Error>(())
/// ```
#[derive(Clone)]
pub struct PostgresConfig {
    pub(crate) server: PgConnectOptions,
    pub(crate) pooler: Pooler,
    pub(crate) sink_connections: u32,
    pub(crate) reader_connections: u32,
    pub(crate) acquire_timeout: Duration,
    pub(crate) statement_timeout: Duration,
    pub(crate) query_timeout: Duration,
    pub(crate) gathered_latencies: u32,
}

/// What stands between this crate and the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pooler {
    /// Nothing, or a pooler that keeps a session for each connection.
    #[default]
    None,
    /// A pooler that gives a server connection away with each transaction, such as PgBouncer with
    /// `pool_mode = transaction`. Statements are then not prepared beforehand, each runs in a
    /// transaction of its own that also sets its timeout: an append takes four round trips, not one.
    Transaction,
}

/// A day.
const MAX_MILLIS: u64 = 86_400_000;

/// 80 MB.
const MAX_GATHERED: u32 = 10_000_000;

/// The names that a URL may set, beside those of libpq.
const SETTINGS: &[&str] = &[
    "acquire_timeout",
    "gathered_latencies",
    "pooler",
    "query_timeout",
    "reader_connections",
    "sink_connections",
    "statement_timeout",
];

/// What libpq knows and the driver understands.
const OF_LIBPQ: &[&str] = &[
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

impl PostgresConfig {
    /// Reads a URL, `postgres://user:password@host:port/database?setting=value&…`.
    ///
    /// # Errors
    /// The URL is none of PostgreSQL, or a setting is unknown or cannot be. The text names the
    /// setting, never the URL, which may hold a password.
    pub fn from_url(url: &str) -> Result<Self, Error> {
        let mut url = Url::parse(url).map_err(|error| {
            invalid(format!(
                "the database URL cannot be read: {error}; write postgres://user@host/database"
            ))
        })?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(invalid(
                "the database URL begins with neither postgres:// nor postgresql://",
            ));
        }
        // Of a password with such a character the rest would be read as something else, and shown.
        if url.fragment().is_some() || url.query().is_some_and(|query| query.contains('@')) {
            return Err(invalid(
                "the database URL has a `#`, or an `@` behind a `?`: in a password or a setting \
                 write %23, %3F and %40",
            ));
        }
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let (own, of_libpq): (Vec<_>, Vec<_>) = pairs
            .into_iter()
            .partition(|(name, _)| SETTINGS.contains(&name.as_str()));
        let is_known = |name: &str| OF_LIBPQ.contains(&name) || name.starts_with("options[");
        if let Some((name, _)) = of_libpq.iter().find(|(name, _)| !is_known(name)) {
            return Err(invalid(format!(
                "the database URL has no setting `{}`; there are {} and, of libpq, {}",
                name.escape_debug(),
                SETTINGS.join(", "),
                OF_LIBPQ.join(", ")
            )));
        }
        let says_sslmode = of_libpq.iter().any(|(name, _)| name == "sslmode");
        url.set_query(None);
        if !of_libpq.is_empty() {
            url.query_pairs_mut().extend_pairs(of_libpq);
        }
        let server = PgConnectOptions::from_url(&url).map_err(|_| {
            invalid("a setting of the database URL cannot be: check port, sslmode and hostaddr")
        })?;
        // The driver's own default is content without, if the server or whoever stands in between
        // says that it has none.
        let is_chosen = says_sslmode || std::env::var_os("PGSSLMODE").is_some();
        let server = if is_chosen || is_of_this_machine(&server) {
            server
        } else {
            server.ssl_mode(PgSslMode::Require)
        };
        let mut config = Self::new(server);
        for (name, value) in own {
            config.set(&name, &value)?;
        }
        Ok(config)
    }

    /// The defaults, with these options of the driver.
    #[must_use]
    fn new(server: PgConnectOptions) -> Self {
        let server = match server.get_application_name() {
            Some(_) => server,
            None => server.application_name("audit"),
        };
        Self {
            server: server.disable_statement_logging(),
            pooler: Pooler::None,
            sink_connections: 4,
            reader_connections: 2,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            query_timeout: Duration::from_secs(10),
            gathered_latencies: 500_000,
        }
    }

    /// What the server shows of its clients; `audit` by default.
    #[must_use]
    pub fn application_name(mut self, name: &str) -> Self {
        self.server = self.server.application_name(name);
        self
    }

    /// What stands in between; nothing by default.
    #[must_use]
    pub const fn pooler(mut self, pooler: Pooler) -> Self {
        self.pooler = pooler;
        self
    }

    /// The most connections of a sink; 4 by default. A logger uses one, several loggers of one
    /// process may share a sink.
    #[must_use]
    pub const fn sink_connections(mut self, n: u32) -> Self {
        self.sink_connections = n;
        self
    }

    /// The most connections of a reader, apart from those of a sink, so that no query can keep an
    /// event waiting; 2 by default.
    #[must_use]
    pub const fn reader_connections(mut self, n: u32) -> Self {
        self.reader_connections = n;
        self
    }

    /// How long to wait for a connection, a new one included; 5 s by default. As all of these: at
    /// least a millisecond, at most a day; what lies beyond is taken for that.
    #[must_use]
    pub const fn acquire_timeout(mut self, timeout: Duration) -> Self {
        self.acquire_timeout = possible(timeout);
        self
    }

    /// How long the server may take over one statement of an append; 30 s by default. The client
    /// waits a little longer, then gives the connection up.
    #[must_use]
    pub const fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = possible(timeout);
        self
    }

    /// How long the server may take over one statement of a reader; 10 s by default.
    #[must_use]
    pub const fn query_timeout(mut self, timeout: Duration) -> Self {
        self.query_timeout = possible(timeout);
        self
    }

    /// How many latencies a question for statistics may bring here, to be put in order here: 500,000
    /// by default, 8 bytes each. Those of more events are ordered by the server, which takes about
    /// three times as long; so are all with 0. At most 10 million; what lies beyond is taken for that.
    #[must_use]
    pub const fn gathered_latencies(mut self, n: u32) -> Self {
        self.gathered_latencies = if n > MAX_GATHERED { MAX_GATHERED } else { n };
        self
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        match name {
            "acquire_timeout" => self.acquire_timeout = duration(name, value)?,
            "gathered_latencies" => self.gathered_latencies = latencies(name, value)?,
            "query_timeout" => self.query_timeout = duration(name, value)?,
            "statement_timeout" => self.statement_timeout = duration(name, value)?,
            "reader_connections" => self.reader_connections = connections(name, value)?,
            "sink_connections" => self.sink_connections = connections(name, value)?,
            _ => self.pooler = value.parse()?,
        }
        Ok(())
    }
}

impl FromStr for Pooler {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        match word {
            "none" => Ok(Self::None),
            "transaction" => Ok(Self::Transaction),
            _ => Err(invalid("`pooler` is neither `none` nor `transaction`")),
        }
    }
}

impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConfig")
            .field("host", &self.server.get_host())
            .field("port", &self.server.get_port())
            .field("database", &self.server.get_database())
            .field("user", &self.server.get_username())
            .field("application_name", &self.server.get_application_name())
            .field("pooler", &self.pooler)
            .field("sink_connections", &self.sink_connections)
            .field("reader_connections", &self.reader_connections)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .field("query_timeout", &self.query_timeout)
            .field("gathered_latencies", &self.gathered_latencies)
            .finish_non_exhaustive()
    }
}

/// Whether what is sent to the server leaves this machine.
fn is_of_this_machine(server: &PgConnectOptions) -> bool {
    let host = server.get_host();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let is_socket = server.get_socket().is_some() || host.starts_with('/');
    is_loopback || is_socket || host.eq_ignore_ascii_case("localhost")
}

/// The nearest timeout that a server takes for one: to it, less than a millisecond is none at all.
const fn possible(timeout: Duration) -> Duration {
    const LONGEST: Duration = Duration::from_millis(MAX_MILLIS);
    if timeout.as_millis() == 0 {
        return Duration::from_millis(1);
    }
    if timeout.as_millis() > LONGEST.as_millis() {
        return LONGEST;
    }
    timeout
}

fn invalid(text: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Invalid, text)
}

fn connections(name: &str, value: &str) -> Result<u32, Error> {
    let number = value.parse().ok().filter(|n| (1..=1_000).contains(n));
    number.ok_or_else(|| invalid(format!("`{name}` is no number from 1 to 1000")))
}

fn latencies(name: &str, value: &str) -> Result<u32, Error> {
    let number = value.parse().ok().filter(|n| *n <= MAX_GATHERED);
    number.ok_or_else(|| invalid(format!("`{name}` is no number from 0 to {MAX_GATHERED}")))
}

fn duration(name: &str, value: &str) -> Result<Duration, Error> {
    const UNITS: [(&str, u64); 3] = [("ms", 1), ("s", 1_000), ("m", 60_000)];
    let parse = |(unit, millis): (&str, u64)| {
        let number: u64 = value.strip_suffix(unit)?.parse().ok()?;
        number
            .checked_mul(millis)
            .filter(|millis| (1..=MAX_MILLIS).contains(millis))
    };
    let millis = UNITS.into_iter().find_map(parse);
    millis.map(Duration::from_millis).ok_or_else(|| {
        invalid(format!(
            "`{name}` is no duration such as 500ms, 30s or 5m, up to a day"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_the_same_as_code() {
        let read = PostgresConfig::from_url(
            "postgresql://u:pw@h:5433/d?pooler=transaction&sink_connections=7&reader_connections=3\
             &acquire_timeout=250ms&statement_timeout=2m&query_timeout=9s&application_name=gw\
             &gathered_latencies=70000",
        );
        let built = PostgresConfig::from_url("postgres://u@h:5433/d")
            .unwrap()
            .application_name("gw")
            .pooler(Pooler::Transaction)
            .sink_connections(7)
            .reader_connections(3)
            .acquire_timeout(Duration::from_millis(250))
            .statement_timeout(Duration::from_secs(120))
            .query_timeout(Duration::from_secs(9))
            .gathered_latencies(70_000);
        assert_eq!(format!("{:?}", read.unwrap()), format!("{built:?}"));
    }

    #[test]
    fn what_cannot_be_is_refused_by_name_and_never_shown() {
        let cases = [
            ("mysql://u:hunter2@h/d", "neither postgres:// nor"),
            ("u:hunter2@h/d", "postgres://"),
            ("postgres://u:hunter2@h:99999/d", "cannot be read"),
            ("postgres://u:hunter2@h/d?sslmode=maybe", "sslmode"),
            (
                "postgres://u:hunter2@h/d?statment_timeout=1s",
                "no setting `statment_timeout`",
            ),
            (
                "postgres://u:hunter2@h/d?statement_timeout=1h",
                "`statement_timeout`",
            ),
            (
                "postgres://u:hunter2@h/d?statement_timeout=0s",
                "`statement_timeout`",
            ),
            (
                "postgres://u:hunter2@h/d?sink_connections=0",
                "`sink_connections`",
            ),
            ("postgres://u:hunter2@h/d?pooler=session", "`pooler`"),
        ];
        for (url, expected) in cases {
            let error = PostgresConfig::from_url(url).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.contains(expected), "{url}: {text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn a_password_that_was_not_escaped_is_not_shown() {
        // Read as host, port and setting or fragment.
        for url in [
            "postgres://u:12?hunter2@h/d",
            "postgres://u:12?hunter2@h/d?sslmode=require",
            "postgres://u:12?hunter2=3@h/d",
            "postgres://u:12#hunter2@h/d",
        ] {
            let error = PostgresConfig::from_url(url).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(!text.contains("hunter2"), "{text}");
            assert!(text.contains("%3F"), "{text}");
        }
    }

    #[test]
    fn a_timeout_is_one_that_the_server_can_keep() {
        let config = PostgresConfig::from_url("postgres://u@h/d").unwrap();
        let longest = config
            .clone()
            .statement_timeout(Duration::MAX)
            .query_timeout(Duration::MAX);
        assert_eq!(longest.statement_timeout, Duration::from_secs(86_400));
        assert_eq!(longest.query_timeout, Duration::from_secs(86_400));
        let longest = longest.acquire_timeout(Duration::MAX);
        assert_eq!(longest.acquire_timeout, Duration::from_secs(86_400));
        // To the server, 0 is no timeout at all.
        let shortest = config
            .statement_timeout(Duration::from_micros(1))
            .query_timeout(Duration::ZERO);
        assert_eq!(shortest.statement_timeout, Duration::from_millis(1));
        assert_eq!(shortest.query_timeout, Duration::from_millis(1));
    }

    #[test]
    fn nothing_leaves_the_machine_in_clear_unless_somebody_said_so() {
        let mode = |url| PostgresConfig::from_url(url).unwrap().server.get_ssl_mode();
        for remote in [
            "postgres://u@db.internal/d",
            "postgres://u@192.0.2.7:5433/d?application_name=x",
            "postgres://u@localhost/d?host=db.internal",
            "postgres://u@localhost/d?hostaddr=192.0.2.7",
        ] {
            assert!(matches!(mode(remote), PgSslMode::Require), "{remote}");
        }
        for local in [
            "postgres://u@localhost/d",
            "postgres://u@127.0.0.1:5433/d",
            "postgres://u@[::1]/d",
            "postgres://u@localhost/d?host=/run/postgresql",
            "postgres://u@db.internal/d?sslmode=prefer",
        ] {
            assert!(matches!(mode(local), PgSslMode::Prefer), "{local}");
        }
        let stricter = "postgres://u@db.internal/d?sslmode=verify-full";
        assert!(matches!(mode(stricter), PgSslMode::VerifyFull));
    }

    #[test]
    fn debug_shows_no_password() {
        let config = PostgresConfig::from_url("postgres://u:hunter2@h/d").unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
