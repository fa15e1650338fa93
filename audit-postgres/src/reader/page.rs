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
    let Some(lead) = Lead::of(filter) else {
        sql.text("SELECT ");
        shown.push(sql);
        sql.text("\nFROM audit_events\nWHERE true");
        filter::push(sql, filter)?;
        push_bound(sql, scan);
        sql.text("\nORDER BY ");
        push_end(sql, scan);
        return Ok(());
    };
    // Each value is a list of its own, and the page is made of their beginnings.
    sql.text("SELECT led.*\nFROM ");
    lead.push_values(sql);
    sql.text(" AS lead (word)\nCROSS JOIN LATERAL (\n    SELECT ");
    shown.push(sql);
    sql.text("\n    FROM audit_events\n    WHERE ")
        .text(lead.column)
        .text(" = ANY(ARRAY[lead.word])");
    lead.push_index_condition(sql);
    filter::push_except(sql, filter, lead.group())?;
    push_bound(sql, scan);
    sql.text("\n    ORDER BY ").text(lead.column);
    sql.text(if scan.is_ascending { ", " } else { " DESC, " });
    push_end(sql, scan);
    sql.text("\n) AS led\nORDER BY ");
    push_end(sql, scan);
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

/// Writes in which order the scan goes, and how far.
fn push_end(sql: &mut Sql, scan: Scan) {
    sql.text(if scan.is_ascending { "id" } else { "id DESC" })
        .text(" LIMIT ")
        .bind_rows(scan.limit);
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
        sql.text("SELECT FROM audit_events\nWHERE true");
        filter::push(&mut sql, filter)?;
        sql.text("\nLIMIT ").bind_rows(scan.limit);
    }
    sql.text("\n) AS matching");
    Ok(sql)
}
