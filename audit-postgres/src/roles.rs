//! Three roles: who appends, who reads, who keeps the schema.

use audit_core::{Error, ErrorKind};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::error::convert;

/// The names of the three roles; the script that makes them and gives each its rights.
///
/// Roles that cannot log in: grant them to the users that can.
///
/// | role | may |
/// |---|---|
/// | writer | append: INSERT and SELECT on `audit_events`, INSERT on `audit_dead_letters`, have a partition made |
/// | reader | SELECT |
/// | maintainer | everything: it owns the tables |
///
/// The writer can neither change nor remove an event, and reaches no partition but through
/// `audit_events`.
///
/// ```
/// use audit_postgres::Roles;
///
/// let roles = Roles::default().writer("gateway_audit")?;
/// assert!(roles.script().contains(r#"GRANT SELECT, INSERT ON audit_events TO "gateway_audit""#));
/// # Ok::<(), audit_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roles {
    writer: String,
    reader: String,
    maintainer: String,
}

const SCRIPT: &str = include_str!("roles.sql");

impl Roles {
    /// The same roles with this name for the writer; `audit_writer` by default.
    ///
    /// # Errors
    /// A name has something else than 1 to 63 letters and digits of ASCII, `_` and `-`.
    pub fn writer(mut self, name: &str) -> Result<Self, Error> {
        self.writer = checked(name)?;
        Ok(self)
    }

    /// The same roles with this name for the reader; `audit_reader` by default.
    ///
    /// # Errors
    /// As [`writer`](Self::writer).
    pub fn reader(mut self, name: &str) -> Result<Self, Error> {
        self.reader = checked(name)?;
        Ok(self)
    }

    /// The same roles with this name for the maintainer; `audit_maintainer` by default.
    ///
    /// # Errors
    /// As [`writer`](Self::writer).
    pub fn maintainer(mut self, name: &str) -> Result<Self, Error> {
        self.maintainer = checked(name)?;
        Ok(self)
    }

    /// SQL that makes the roles where they are missing, and gives each its rights and no others.
    /// To be run behind the migrations, by a superuser or by the owner of the tables with
    /// `CREATEROLE`; it can be run again.
    #[must_use]
    pub fn script(&self) -> String {
        SCRIPT
            .replace("{writer}", &self.writer)
            .replace("{reader}", &self.reader)
            .replace("{maintainer}", &self.maintainer)
    }

    pub(crate) async fn apply(&self, connection: &mut PgConnection) -> Result<(), Error> {
        if self.writer == self.reader
            || self.writer == self.maintainer
            || self.reader == self.maintainer
        {
            return Err(invalid("two of the three roles have the same name"));
        }
        // Put together from a constant and names that hold nothing but letters, digits, `_`, `-`.
        sqlx::raw_sql(AssertSqlSafe(self.script()))
            .execute(connection)
            .await
            .map_err(|error| convert("the roles cannot be made", &error))?;
        Ok(())
    }
}

impl Default for Roles {
    fn default() -> Self {
        Self {
            writer: "audit_writer".into(),
            reader: "audit_reader".into(),
            maintainer: "audit_maintainer".into(),
        }
    }
}

fn checked(name: &str) -> Result<String, Error> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let is_reserved = name.starts_with("pg_") || matches!(name, "public" | "none");
    if (1..=63).contains(&name.len()) && name.bytes().all(fits) && !is_reserved {
        return Ok(name.into());
    }
    Err(invalid(
        "the name of a role has 1 to 63 letters and digits of ASCII, `_` and `-`, and does not begin with pg_",
    ))
}

fn invalid(text: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_would_need_quoting_is_refused() {
        let too_long = "a".repeat(64);
        for name in [
            "", "a b", "a\"b", "a'b", "a;b", "ä", "pg_x", "public", "none", &too_long,
        ] {
            assert!(Roles::default().writer(name).is_err(), "{name}");
        }
        for name in ["a", "A-1", "audit_writer_2", &"a".repeat(63)] {
            assert!(Roles::default().reader(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn the_script_names_nothing_that_is_left_to_fill_in() {
        assert!(!Roles::default().script().contains(['{', '}']));
    }
}
