use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use audit_core::{Error, ErrorKind};

/// Which file, and how to use it.
///
/// Built in code or read from a URL, with the settings by the names of their methods, durations as
/// `500ms`, `30s` or `5m`.
///
/// ```
/// use std::time::Duration;
///
/// use audit_sqlite::SqliteConfig;
///
/// let config = SqliteConfig::new("audit.db").busy_timeout(Duration::from_secs(2));
/// // The same in one line, for a file or a variable.
/// assert_eq!(SqliteConfig::from_url("sqlite:audit.db?busy_timeout=2s")?, config);
/// # Ok::<(), audit_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteConfig {
    pub(crate) path: PathBuf,
    pub(crate) reader_connections: u32,
    pub(crate) busy_timeout: Duration,
    pub(crate) query_timeout: Duration,
    pub(crate) check_on_open: bool,
}

/// A day.
const MAX_MILLIS: u64 = 86_400_000;

/// The names that a URL may set.
const SETTINGS: &[&str] = &[
    "busy_timeout",
    "check_on_open",
    "query_timeout",
    "reader_connections",
];

impl SqliteConfig {
    /// The defaults, for this file. It need not be there yet; its folder must.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            reader_connections: 4,
            busy_timeout: Duration::from_secs(5),
            query_timeout: Duration::from_secs(10),
            check_on_open: true,
        }
    }

    /// Reads a URL, `sqlite:PATH?setting=value&…`. The path is what stands there, relative or
    /// not; also `sqlite://PATH`. In it `%3F`, `%23` and `%25` stand for `?`, `#` and `%`.
    ///
    /// # Errors
    /// The URL is none of SQLite, names no file, or a setting is unknown or cannot be. The text
    /// names the setting.
    pub fn from_url(url: &str) -> Result<Self, Error> {
        let rest = url.strip_prefix("sqlite:").ok_or_else(|| {
            invalid("the database URL does not begin with sqlite: write sqlite:PATH")
        })?;
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (path, settings) = rest.split_once('?').unwrap_or((rest, ""));
        if path.contains('#') || settings.contains('#') {
            return Err(invalid("the database URL has a `#`: in a path write %23"));
        }
        let path = decode(path)?;
        if path.is_empty() || path == ":memory:" {
            return Err(invalid(
                "the database URL names no file: write sqlite:PATH; what need not last is kept by \
                 `audit-memory`",
            ));
        }
        let mut config = Self::new(path);
        for pair in settings.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            config.set(name, value)?;
        }
        Ok(config)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The most connections of the reader, apart from the writer's; 4 by default, at least 1.
    #[must_use]
    pub fn reader_connections(mut self, n: u32) -> Self {
        self.reader_connections = std::cmp::max(n, 1);
        self
    }

    /// How long to wait for another process that writes; 5 s by default. As all of these: at least
    /// a millisecond, at most a day; what lies beyond is taken for that.
    #[must_use]
    pub const fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = possible(timeout);
        self
    }

    /// How long a question of a reader may take, waiting for a connection included; 10 s by
    /// default. As long as a question is answered, the log of the file cannot be taken in and grows.
    #[must_use]
    pub const fn query_timeout(mut self, timeout: Duration) -> Self {
        self.query_timeout = possible(timeout);
        self
    }

    /// Whether the whole file is checked for damage when it is opened for writing (`PRAGMA
    /// quick_check`); it is by default. That reads all of it: about a second for each gigabyte, from
    /// a fast disk. Without it, damage is noticed where it is met.
    #[must_use]
    pub const fn check_on_open(mut self, check: bool) -> Self {
        self.check_on_open = check;
        self
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        match name {
            "busy_timeout" => self.busy_timeout = duration(name, value)?,
            "query_timeout" => self.query_timeout = duration(name, value)?,
            "reader_connections" => {
                let number = value.parse().ok().filter(|n| (1..=1_000).contains(n));
                self.reader_connections = number
                    .ok_or_else(|| invalid("`reader_connections` is no number from 1 to 1000"))?;
            }
            "check_on_open" => {
                self.check_on_open = value
                    .parse()
                    .map_err(|_| invalid("`check_on_open` is neither `true` nor `false`"))?;
            }
            _ => {
                return Err(invalid(format!(
                    "the database URL has no setting `{}`; there are {}",
                    name.escape_debug(),
                    SETTINGS.join(", ")
                )));
            }
        }
        Ok(())
    }
}

/// Takes the escapes off a path. What they stand for must be text.
fn decode(path: &str) -> Result<String, Error> {
    let malformed =
        || invalid("the path of the database URL has a `%` that is no escape: write %25");
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, behind)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let (digits, behind) = behind.split_at_checked(2).ok_or_else(malformed)?;
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let byte = u8::from_str_radix(digits, 16).ok().filter(|_| is_hex);
        bytes.push(byte.ok_or_else(malformed)?);
        rest = behind;
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).map_err(|_| malformed())
}

/// The nearest timeout that SQLite takes for one.
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

fn invalid(text: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Invalid, text)
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
        let read = SqliteConfig::from_url(
            "sqlite:/var/lib/a%3Fb.db?busy_timeout=250ms&query_timeout=2m&reader_connections=7\
             &check_on_open=false",
        );
        let built = SqliteConfig::new("/var/lib/a?b.db")
            .busy_timeout(Duration::from_millis(250))
            .query_timeout(Duration::from_secs(120))
            .reader_connections(7)
            .check_on_open(false);
        assert_eq!(read.unwrap(), built);
    }

    #[test]
    fn a_path_is_relative_or_not_with_slashes_or_without() {
        let cases = [
            ("sqlite:a.db", "a.db"),
            ("sqlite://a.db", "a.db"),
            ("sqlite:///a.db", "/a.db"),
            ("sqlite:/a/b c%25.db", "/a/b c%.db"),
            ("sqlite:%C3%A4.db", "ä.db"),
        ];
        for (url, path) in cases {
            let config = SqliteConfig::from_url(url).unwrap();
            assert_eq!(config.path(), Path::new(path), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let cases = [
            ("postgres://h/d", "does not begin with sqlite:"),
            ("a.db", "does not begin with sqlite:"),
            ("sqlite:", "names no file"),
            ("sqlite::memory:", "names no file"),
            ("sqlite:a%zz.db", "%25"),
            ("sqlite:a%+1.db", "%25"),
            ("sqlite:a%ff.db", "%25"),
            ("sqlite:a.db#x", "%23"),
            ("sqlite:a.db?mode=ro", "no setting `mode`"),
            ("sqlite:a.db?busy_timeout=1h", "`busy_timeout`"),
            ("sqlite:a.db?query_timeout=0s", "`query_timeout`"),
            ("sqlite:a.db?reader_connections=0", "`reader_connections`"),
            ("sqlite:a.db?check_on_open=1", "`check_on_open`"),
        ];
        for (url, expected) in cases {
            let error = SqliteConfig::from_url(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains(expected), "{url}: {error}");
        }
    }

    #[test]
    fn a_timeout_is_one_that_sqlite_can_keep() {
        let config = SqliteConfig::new("a.db").busy_timeout(Duration::MAX);
        assert_eq!(config.busy_timeout, Duration::from_secs(86_400));
        let config = config.query_timeout(Duration::ZERO);
        assert_eq!(config.query_timeout, Duration::from_millis(1));
    }
}
