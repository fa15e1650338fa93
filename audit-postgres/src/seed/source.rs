use audit_core::{Error, ErrorKind};
use sqlx::{AssertSqlSafe, PgConnection};

use super::{LOCK, failed};
use crate::pool::Pool;

/// What the server says of the predecessor's table.
pub(super) struct Source {
    /// Its name, quoted.
    pub(super) name: String,
    /// The type of its ids.
    id_type: Option<String>,
    has_ts: bool,
    has_unique_ids: bool,
}

impl Source {
    pub(super) async fn find(connection: &mut PgConnection) -> Result<Option<Self>, Error> {
        let row: Option<(String, Option<String>, bool, bool)> = sqlx::query_as(
            "SELECT
                format('%I.audit_events_seed', current_schema()) AS name,
                (SELECT format_type(atttypid, atttypmod) FROM pg_attribute
                    WHERE attrelid = source.oid AND attname = 'id' AND NOT attisdropped) AS id_type,
                EXISTS (SELECT FROM pg_attribute
                    WHERE attrelid = source.oid AND attname = 'ts' AND NOT attisdropped) AS has_ts,
                EXISTS (SELECT FROM pg_index
                    JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
                    WHERE indrelid = source.oid AND attname = 'id' AND attnotnull
                      AND indisunique AND indisvalid AND indnkeyatts = 1 AND indpred IS NULL
                ) AS has_unique_ids
             FROM pg_class AS source
             WHERE source.oid = to_regclass(format('%I.audit_events_seed', current_schema()))",
        )
        .fetch_optional(connection)
        .await
        .map_err(failed)?;
        Ok(row.map(|(name, id_type, has_ts, has_unique_ids)| Self {
            name,
            id_type,
            has_ts,
            has_unique_ids,
        }))
    }

    /// The type of the ids, if each row can be told from the others.
    pub(super) async fn check(&self, connection: &mut PgConnection) -> Result<String, Error> {
        let invalid = |text| Error::new(ErrorKind::Invalid, text);
        let (Some(id_type), true) = (&self.id_type, self.has_ts) else {
            return Err(invalid(
                "`audit_events_seed` has no column `id` or no column `ts`: it is not the predecessor's table; rename it, then migrate again",
            ));
        };
        if !self.has_unique_ids {
            let sql = format!("SELECT count(*) = count(DISTINCT id) FROM {}", self.name);
            // The server quoted the name.
            let is_unique: bool = sqlx::query_scalar(AssertSqlSafe(sql))
                .fetch_one(connection)
                .await
                .map_err(failed)?;
            if !is_unique {
                return Err(invalid(
                    "`audit_events_seed` has rows without an id, or several with the same: give each one of its own, then migrate again",
                ));
            }
        }
        Ok(id_type.clone())
    }

    /// Gives each row that is not brought over its place, unless a list is being worked off.
    pub(super) async fn enqueue(
        &self,
        pool: &Pool,
        connection: &mut PgConnection,
    ) -> Result<(), Error> {
        let mut transaction = pool.begin(connection).await.map_err(failed)?;
        sqlx::query(LOCK)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        let sql = format!(
            "INSERT INTO audit_legacy_queue (place, legacy_id)
             SELECT row_number() OVER (ORDER BY s.ts, s.id::text COLLATE \"C\"), s.id::text
             FROM {} AS s
             WHERE NOT EXISTS (SELECT FROM audit_legacy_queue)
               AND NOT EXISTS (SELECT FROM audit_legacy_ids AS l WHERE l.legacy_id = s.id::text)",
            self.name
        );
        // The server quoted the name.
        sqlx::query(AssertSqlSafe(sql))
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }
}
