use audit_core::{Error, ErrorKind};

use crate::adoption;
use crate::config::{Pooler, PostgresConfig};
use crate::dead_letter::DeadLetters;
use crate::hold::Holds;
use crate::partition::Partitions;
use crate::pool::Pool;
use crate::retention::Retention;
use crate::roles::Roles;
use crate::schema::{self, SchemaMigration};
use crate::seed;

/// Makes the schema and keeps it, with the rights of its owner.
///
/// A clone shares the connection.
#[derive(Clone, Debug)]
pub struct PostgresMaintainer {
    pool: Pool,
}

impl PostgresMaintainer {
    /// Connects.
    ///
    /// # Errors
    /// The server cannot be reached, or only through a pooler in transaction mode: what changes
    /// the schema needs a session.
    pub async fn connect(config: &PostgresConfig) -> Result<Self, Error> {
        if config.pooler == Pooler::Transaction {
            return Err(Error::new(
                ErrorKind::Invalid,
                "the schema cannot be kept through a pooler in transaction mode: connect to the server itself",
            ));
        }
        let maintainer = Self {
            pool: Pool::for_maintainer(config),
        };
        maintainer.pool.lease().await?.give_back();
        Ok(maintainer)
    }

    /// The migrations that [`migrate`](Self::migrate) would run, with their SQL. Changes nothing.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub async fn pending_migrations(&self) -> Result<Vec<SchemaMigration>, Error> {
        let mut lease = self.pool.lease().await?;
        let pending = schema::pending(&mut lease).await?;
        lease.give_back();
        Ok(pending)
    }

    /// Brings the schema to this version: from nothing, from an older version, or from the table
    /// of the tool's predecessor. Safe to run again, and by several processes at once.
    ///
    /// A table `audit_events` of the predecessor steps aside as `audit_events_seed`, and its rows
    /// are brought over: redacted, in their order, as events of the writer `seed`. Their old ids
    /// stay findable in `audit_legacy_ids`; a row that can be no event is set aside as a dead
    /// letter. The old table is left as it is: it holds what the predecessor did not redact, so
    /// drop it when nobody needs it any more. Until then each migration compares both.
    ///
    /// # Cancel safety
    /// Dropped half-way, it goes on where it was with the next call.
    ///
    /// # Errors
    /// The server cannot be reached or refuses a statement, the encoding of the database is not
    /// UTF8, or the schema is newer than this version. What had run stays; the rest runs with the next call.
    pub async fn migrate(&self) -> Result<(), Error> {
        let mut lease = self.pool.lease().await?;
        schema::migrate(&mut lease, None).await?;
        seed::bring_over(&self.pool, &mut lease).await?;
        lease.give_back();
        Ok(())
    }

    /// Brings the schema to an older version than the newest, such as `0002`: for who goes step by
    /// step. Rows of the predecessor wait for [`migrate`](Self::migrate).
    ///
    /// # Errors
    /// As [`migrate`](Self::migrate), or there is no such version.
    pub async fn migrate_to(&self, version: &str) -> Result<(), Error> {
        let mut lease = self.pool.lease().await?;
        schema::migrate(&mut lease, Some(version)).await?;
        lease.give_back();
        Ok(())
    }

    /// How many rows of the predecessor's table [`migrate`](Self::migrate) would bring over.
    /// Changes nothing.
    ///
    /// # Errors
    /// The server cannot be reached, or the table cannot be read.
    pub async fn seed_rows_left(&self) -> Result<u64, Error> {
        let mut lease = self.pool.lease().await?;
        let n_rows = seed::rows_left(&mut lease).await?;
        lease.give_back();
        Ok(n_rows)
    }

    /// Makes a store of its own out of a copy that was restored on another server, or whose server
    /// was upgraded by copying: followers refuse such a copy, because the order of its commits is
    /// that of another server. Gives back whether it was one; a store that is none stays as it is.
    ///
    /// Every row is written anew, and nobody can append meanwhile: it takes as long as the store is
    /// large. Followers begin anew.
    ///
    /// # Cancel safety
    /// Dropped half-way, nothing is changed.
    ///
    /// # Errors
    /// The server cannot be reached, or the user is not the owner of the tables.
    pub async fn adopt_copy(&self) -> Result<bool, Error> {
        let mut lease = self.pool.lease().await?;
        let is_copy = adoption::adopt(&mut lease).await?;
        lease.give_back();
        Ok(is_copy)
    }

    /// Makes the roles and gives each its rights: runs [`Roles::script`].
    ///
    /// # Errors
    /// The migrations did not run, two roles have the same name, or the user is neither superuser
    /// nor the owner of the tables with `CREATEROLE`.
    pub async fn apply_roles(&self, roles: &Roles) -> Result<(), Error> {
        let mut lease = self.pool.lease().await?;
        roles.apply(&mut lease).await?;
        lease.give_back();
        Ok(())
    }

    /// The partitions: listing, making ahead, their width.
    #[must_use]
    pub const fn partitions(&self) -> Partitions<'_> {
        Partitions::new(&self.pool)
    }

    /// Legal holds: placing, releasing, listing.
    #[must_use]
    pub const fn holds(&self) -> Holds<'_> {
        Holds::new(&self.pool)
    }

    /// Retention: a plan, and applying it.
    #[must_use]
    pub const fn retention(&self) -> Retention<'_> {
        Retention::new(&self.pool)
    }

    /// What the store refused: listing, trying again, taking out.
    #[must_use]
    pub const fn dead_letters(&self) -> DeadLetters<'_> {
        DeadLetters::new(&self.pool)
    }
}
