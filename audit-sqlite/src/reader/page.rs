use audit_core::Error;
use audit_core::event::EventId;
use audit_core::reader::{Filter, PageRequest, Scan};

use super::filter;
use super::lead::Lead;
use super::sql::Sql;
use crate::row::{PAYLOADS, SUMMARY};

/// Which columns a page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Event,
    Id,
    Summary,
}

impl Shown {
    pub(super) fn push(self, sql: &mut Sql) {
        match self {
            Self::Event => sql.text(SUMMARY).text(", ").text(PAYLOADS),
            Self::Id => sql.text("id"),
            Self::Summary => sql.text(SUMMARY),
        };
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
pub(super) fn push_page(sql: &mut Sql, request: &PageRequest, shown: Shown) -> Result<(), Error> {
    push_scan(sql, request.filter(), request.scan(), shown)
}

fn push_scan(sql: &mut Sql, filter: &Filter, scan: Scan, shown: Shown) -> Result<(), Error> {
    match Lead::of(filter) {
        Some(lead) => push_led(sql, filter, &lead, scan, shown)?,
        None => {
            sql.text("SELECT ");
            shown.push(sql);
            sql.text("\nFROM audit_events INDEXED BY audit_events_id\nWHERE true");
            filter::push(sql, filter)?;
            push_bound(sql, scan);
        }
    }
    sql.text(if scan.is_ascending {
        "\nORDER BY id LIMIT "
    } else {
        "\nORDER BY id DESC LIMIT "
    });
    sql.bind_rows(scan.limit);
    Ok(())
}

/// A select for each value, of which SQLite reads as much as the page takes.
fn push_led(
    sql: &mut Sql,
    filter: &Filter,
    lead: &Lead,
    scan: Scan,
    shown: Shown,
) -> Result<(), Error> {
    if lead.values.is_empty() {
        sql.text("SELECT ");
        shown.push(sql);
        sql.text("\nFROM audit_events\nWHERE false");
        return Ok(());
    }
    for (index, value) in lead.values.iter().enumerate() {
        sql.text(if index == 0 {
            "SELECT "
        } else {
            "\nUNION ALL\nSELECT "
        });
        shown.push(sql);
        sql.text("\nFROM ").text(lead.index.table).text("\nWHERE ");
        lead.index.push(sql, value.clone());
        filter::push_except(sql, filter, lead.group)?;
        push_bound(sql, scan);
    }
    Ok(())
}

/// Writes where the scan begins.
fn push_bound(sql: &mut Sql, scan: Scan) {
    if let Some(bound) = scan.bound {
        sql.text(if scan.is_ascending {
            "\n    AND id > "
        } else {
            "\n    AND id < "
        });
        sql.bind(*bound.as_uuid());
    }
}

/// How many events match, and one more than the cap if there are as many.
pub(super) fn count(filter: &Filter, cap: u64) -> Result<Sql, Error> {
    let mut scan = PageRequest::new(filter.clone()).scan();
    scan.limit = usize::try_from(cap.saturating_add(1)).unwrap_or(usize::MAX);
    let mut sql = Sql::new("SELECT count(*) FROM (\n");
    if Lead::of(filter).is_some() {
        // As a page: along the index alone, which need not be left for the rows.
        push_scan(&mut sql, filter, scan, Shown::Id)?;
    } else {
        // In whatever order comes cheapest.
        sql.text("SELECT 1 FROM audit_events\nWHERE true");
        filter::push(&mut sql, filter)?;
        sql.text("\nLIMIT ").bind_rows(scan.limit);
    }
    sql.text("\n) AS matching");
    Ok(sql)
}
