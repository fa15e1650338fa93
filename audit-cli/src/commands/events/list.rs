use audit_core::AuditReader;
use audit_core::reader::{Filter, Order, PageRequest};

use super::Printer;
use crate::failure::Failure;
use crate::output;
use crate::store::unanswered;

/// Prints the list, page after page, so that any number takes the memory of one; says whether there
/// was nothing.
pub(super) async fn print(
    reader: &dyn AuditReader,
    filter: Filter,
    order: Order,
    limit: usize,
    mut printer: Printer,
) -> Result<bool, Failure> {
    let unanswered = |error| unanswered(&error);
    let mut request = PageRequest::new(filter).order(order);
    let mut left = limit;
    let mut is_empty = true;
    let mut has_more = false;
    while left > 0 {
        request = request.limit(page_of(left)).map_err(unanswered)?;
        let (text, n_events, next) = match printer.wants_payloads() {
            true => {
                let page = reader.page_with_payloads(&request).await;
                let page = page.map_err(unanswered)?;
                (printer.events(&page.events)?, page.events.len(), page.next)
            }
            false => {
                let page = reader.page(&request).await.map_err(unanswered)?;
                (
                    printer.summaries(&page.events),
                    page.events.len(),
                    page.next,
                )
            }
        };
        is_empty &= n_events == 0;
        if !output::print_some(&text)? {
            return Ok(is_empty);
        }
        left = left.saturating_sub(n_events);
        let Some(next) = next else {
            has_more = false;
            break;
        };
        has_more = true;
        request = request.cursor(next).map_err(unanswered)?;
    }
    output::print(printer.end())?;
    if has_more && printer.is_for_people() {
        output::tell(format_args!("there are more; -n shows more of them"));
    }
    Ok(is_empty && limit > 0)
}

fn page_of(left: usize) -> usize {
    left.clamp(1, PageRequest::MAX_LIMIT)
}
