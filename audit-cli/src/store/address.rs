use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use audit_postgres::PostgresConfig;
use audit_sqlite::SqliteConfig;
use etcetera::BaseStrategy as _;

use crate::failure::{Exit, Failure};

/// Where events are kept, as a user names it: `sqlite:PATH`, `postgres://…`, `memory:`.
#[derive(Clone)]
pub(crate) enum StoreAddress {
    /// Nowhere: they are gone with the process.
    Memory,
    /// A database that several gateways share.
    Postgres {
        config: Box<PostgresConfig>,
        /// Without the password.
        shown: String,
        has_password: bool,
    },
    /// A file of this machine.
    Sqlite(SqliteConfig),
}

impl StoreAddress {
    /// The file in the user's data folder, which is made if it is missing.
    pub(crate) fn default_of_user() -> Result<Self, Failure> {
        let folder = data_folder()?;
        make_private(&folder)?;
        Ok(Self::Sqlite(SqliteConfig::new(folder.join("audit.db"))))
    }

    /// Whether it holds a password.
    pub(crate) fn has_password(&self) -> bool {
        matches!(
            self,
            Self::Postgres {
                has_password: true,
                ..
            }
        )
    }

    /// Takes what the user said, or else the default.
    pub(crate) fn or_default(said: Option<Self>) -> Result<Self, Failure> {
        said.map_or_else(Self::default_of_user, Ok)
    }
}

impl FromStr for StoreAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let says = |error: audit_core::Error| match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        match text.split_once(':') {
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("sqlite", _)) => SqliteConfig::from_url(text).map(Self::Sqlite).map_err(says),
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres {
                config: Box::new(PostgresConfig::from_url(text).map_err(says)?),
                shown: without_password(text),
                has_password: has_password(text),
            }),
            _ => Err(
                "a store is sqlite:PATH, postgres://USER@HOST/DATABASE, or memory: (for what need \
                 not last)"
                    .to_owned(),
            ),
        }
    }
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory:"),
            Self::Postgres { shown, .. } => f.write_str(shown),
            Self::Sqlite(config) => write!(f, "sqlite:{}", config.path().display()),
        }
    }
}

impl fmt::Debug for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreAddress({self})")
    }
}

/// Where this program keeps what is the user's: `$XDG_DATA_HOME/audit`, `~/.local/share/audit`.
pub(crate) fn data_folder() -> Result<PathBuf, Failure> {
    let strategy = etcetera::choose_base_strategy().map_err(|error| {
        Failure::because("the user's data folder cannot be found", &error)
            .advice("name a store: --store sqlite:PATH")
            .exit(Exit::Usage)
    })?;
    Ok(strategy.data_dir().join("audit"))
}

/// Makes a folder for its owner alone.
pub(crate) fn make_private(folder: &Path) -> Result<(), Failure> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| {
        let what = format!("the folder {} cannot be made", folder.display());
        Failure::because(what, &error).advice("name a store elsewhere: --store sqlite:PATH")
    })
}

fn has_password(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| {
        url.password().is_some() || url.query_pairs().any(|(name, _)| name == "password")
    })
}

/// What may be shown of a URL: no password, and no settings, which can hold one too.
fn without_password(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(mut url) => {
            // Fails for URLs without a host, which then have no password either.
            let _ = url.set_password(None);
            url.set_query(None);
            url.to_string()
        }
        Err(_) => "postgres://…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        let address: StoreAddress = "postgres://me:hush@db.internal/audit?password=hush"
            .parse()
            .unwrap();
        assert_eq!(address.to_string(), "postgres://me@db.internal/audit");
        assert!(!format!("{address:?}").contains("hush"));
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_would_be_one() {
        for text in ["", "audit.db", "mysql://x", "memory:x", "sqlite:"] {
            let error = text.parse::<StoreAddress>().unwrap_err();
            assert!(error.contains("sqlite:PATH"), "{text}: {error}");
        }
    }
}
