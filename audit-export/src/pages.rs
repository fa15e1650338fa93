//! Reading ahead: a task of its own that has the next page ready.

use std::sync::Arc;

use audit_core::event::EventId;
use audit_core::reader::{Order, PageRequest};
use audit_core::{AuditEvent, AuditReader, Error, ErrorKind};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::request::ExportRequest;

/// The pages of an export, in their order. Its task ends with it.
#[derive(Debug)]
pub(crate) struct Pages {
    pages: mpsc::Receiver<Result<Page, Error>>,
    task: JoinHandle<()>,
}

/// Events in their order.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) events: Vec<AuditEvent>,
    pub(crate) is_last: bool,
}

/// How much memory a page should take. Two are read ahead and one is written.
const PAGE_BYTES: usize = 8 << 20;
/// The size of the first page, when nobody knows yet how large the events are.
const FIRST_LIMIT: usize = 50;

impl Pages {
    /// Begins to read: from the first event, or behind one, to `through`, which is in it.
    pub(crate) fn read(
        reader: Arc<dyn AuditReader>,
        request: &ExportRequest,
        after: Option<EventId>,
        through: EventId,
    ) -> Self {
        let list = PageRequest::new(request.filter.clone()).order(Order::OldestFirst);
        let list = match after {
            Some(id) => list.after(id),
            None => list,
        };
        let (sender, pages) = mpsc::channel(1);
        let task = tokio::spawn(async move {
            let mut list = list;
            let mut limit = FIRST_LIMIT;
            loop {
                let page = next_page(&*reader, &mut list, &mut limit, through).await;
                let is_end = page.as_ref().map_or(true, |page| page.is_last);
                // Nobody is there any more: the export was dropped.
                if sender.send(page).await.is_err() || is_end {
                    return;
                }
            }
        });
        Self { pages, task }
    }

    /// # Cancel safety
    /// Dropped before it is ready, no page is lost.
    pub(crate) async fn next(&mut self) -> Result<Page, Error> {
        let end = || Error::new(ErrorKind::Internal, "the reader ended without an answer");
        self.pages.recv().await.ok_or_else(end)?
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn next_page(
    reader: &dyn AuditReader,
    list: &mut PageRequest,
    limit: &mut usize,
    through: EventId,
) -> Result<Page, Error> {
    *list = list.clone().limit(*limit)?;
    let mut page = reader.page_with_payloads(list).await?;
    let n_read = page.events.len();
    if n_read > 0 {
        let n_bytes: usize = page.events.iter().map(AuditEvent::size_in_memory).sum();
        let of_one = n_bytes.div_ceil(n_read);
        *limit = (PAGE_BYTES / of_one).clamp(1, PageRequest::MAX_LIMIT);
    }
    page.events.retain(|event| event.id <= through);
    let mut is_last = page.events.len() < n_read || page.next.is_none();
    is_last |= page.events.last().is_some_and(|event| event.id == through);
    if let Some(next) = page.next.filter(|_| !is_last) {
        *list = list.clone().cursor(next)?;
    }
    Ok(Page {
        events: page.events,
        is_last,
    })
}
