use audit_core::Error;
use audit_core::event::EventId;
use audit_core::reader::{Filter, PageRequest};

use super::filter;
use super::sql::Sql;
use crate::row::{PAYLOADS, SUMMARY};

/// Which columns a page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Event,
    Summary,
}

impl Shown {
    pub(super) fn push(self, sql: &mut Sql) {
        sql.text(SUMMARY);
        if self == Self::Event {
            sql.text(", ").text(PAYLOADS);
        }
    }
}

/// One event.
pub(super) fn get(id: EventId) -> Sql {
    let mut sql = Sql::new("SELECT ");
    Shown::Event.push(&mut sql);
    sql.text(" FROM audit_events WHERE id = ")
        .bind(*id.as_uuid());
    sql
}

/// One page, by keyset on the id.
pub(super) fn page(request: &PageRequest, shown: Shown) -> Result<Sql, Error> {
    let scan = request.scan();
    let mut sql = Sql::new("SELECT ");
    shown.push(&mut sql);
    sql.text("\nFROM audit_events\nWHERE true");
    filter::push(&mut sql, request.filter())?;
    if let Some(bound) = scan.bound {
        sql.text(if scan.is_ascending {
            "\n    AND id > "
        } else {
            "\n    AND id < "
        });
        sql.bind(*bound.as_uuid());
    }
    sql.text("\nORDER BY id");
    sql.text(if scan.is_ascending { "" } else { " DESC" });
    sql.text("\nLIMIT ").bind_rows(scan.limit);
    Ok(sql)
}

/// How many events match, and one more than the cap if there are as many.
pub(super) fn count(filter: &Filter, cap: u64) -> Result<Sql, Error> {
    let mut sql = Sql::new("SELECT count(*) FROM (\nSELECT FROM audit_events\nWHERE true");
    filter::push(&mut sql, filter)?;
    sql.text("\nLIMIT ").bind_rows(cap.saturating_add(1));
    sql.text("\n) AS matching");
    Ok(sql)
}
