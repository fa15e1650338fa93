use audit_core::reader::{Condition, Filter, Order, PageRequest, TextField};
use audit_core::{AuditEvent, AuditReader, Glob};

use super::super::events::{HEADINGS, NARROW, cells};
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Paint, Table};
use crate::store::unanswered;

/// The neighbors of an event on both sides, each side in the order of time: of its session, or where
/// it has none, of all.
pub(super) async fn around(
    reader: &dyn AuditReader,
    event: &AuditEvent,
    n: usize,
) -> Result<(Vec<AuditEvent>, Vec<AuditEvent>), Failure> {
    if n == 0 {
        return Ok((Vec::new(), Vec::new()));
    }
    let filter = match &event.session_id {
        Some(session) => Filter::all().with(Condition::Text(
            TextField::Session,
            Glob::exact(session.as_str()),
        )),
        None => Filter::all(),
    };
    let side = async |order| {
        let request = PageRequest::new(filter.clone())
            .order(order)
            .after(event.id);
        let request = request.limit(n).map_err(|error| {
            Failure::because("--context cannot be used", &error).exit(Exit::Usage)
        })?;
        let page = reader.page_with_payloads(&request).await;
        Ok(page.map_err(|error| unanswered(&error))?.events)
    };
    let mut before = side(Order::NewestFirst).await?;
    before.reverse();
    Ok((before, side(Order::OldestFirst).await?))
}

/// All of them in a table, with a mark at the event.
pub(super) fn table(before: &[AuditEvent], event: &AuditEvent, behind: &[AuditEvent]) -> String {
    let headings: Vec<&str> = [""].iter().chain(HEADINGS).copied().collect();
    let mut table = Table::new(Paint::fitting(), &headings).narrow(NARROW);
    for it in before.iter().chain([event]).chain(behind) {
        let mark = match it.id == event.id {
            true => ">",
            false => "",
        };
        let mark = Cell::Text(mark.to_owned());
        table.row([mark].into_iter().chain(cells(it)));
    }
    table.into_lines()
}
