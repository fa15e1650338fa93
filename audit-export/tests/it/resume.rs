//! An export that was interrupted goes on, and ends with the bytes of one that was not.

use std::io::Cursor;
use std::sync::Arc;

use audit_core::AuditReader;
use audit_core::event::EventId;
use audit_export::{Export, ExportRequest, Kept};
use audit_memory::MemoryStore;
use audit_testkit::fixture;

use crate::support::{begin, requests, rest, store, whole};

async fn resumed(
    store: &MemoryStore,
    request: &ExportRequest,
    through: Option<EventId>,
    part: &[u8],
) -> Vec<u8> {
    let kept = Kept::read(Cursor::new(part), request).unwrap();
    let n_bytes = usize::try_from(kept.n_file_bytes()).unwrap();
    let mut file = part[..n_bytes].to_vec();
    let reader: Arc<dyn AuditReader> = Arc::new(store.clone());
    let mut export = Export::resume(reader, request.clone(), through, kept).unwrap();
    file.extend(rest(&mut export).await);
    file
}

#[tokio::test]
async fn cut_anywhere_it_ends_with_the_same_bytes() {
    let store = store(&fixture::events(1..=25)).await;
    for request in requests() {
        let export = begin(&store, &request).await;
        let through = export.through();
        let file = whole(&store, &request).await;
        for end in (0..=file.len())
            .step_by(173)
            .chain([file.len(), file.len() - 1])
        {
            let again = resumed(&store, &request, through, &file[..end]).await;
            assert!(again == file, "{request:?} cut at {end}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_frames_are_kept_and_the_rest_is_written_again() {
    let store = store(&fixture::events(1..=9_000)).await;
    for request in requests() {
        let through = begin(&store, &request).await.through();
        let file = whole(&store, &request).await;
        let part = &file[..file.len() / 4 * 3];
        let kept = Kept::read(Cursor::new(part), &request).unwrap();
        assert!(kept.n_rows() > 1_000, "{request:?}: {kept:?}");
        assert!(
            resumed(&store, &request, through, part).await == file,
            "{request:?}"
        );
    }
}

#[tokio::test]
async fn it_goes_as_far_as_it_would_have_gone() {
    let events = fixture::events(1..=40);
    let store = store(&events).await;
    for request in requests() {
        let through = Some(events[29].id);
        let part = whole(&store, &request).await;
        let kept = Kept::read(Cursor::new(&part[..part.len() / 3]), &request).unwrap();
        let reader: Arc<dyn AuditReader> = Arc::new(store.clone());
        let mut export = Export::resume(reader, request.clone(), through, kept).unwrap();
        rest(&mut export).await;
        assert_eq!(export.totals().n_rows, 30, "{request:?}");
    }
}

#[tokio::test]
async fn the_file_of_something_else_is_not_continued() {
    let store = store(&fixture::events(1..=5)).await;
    for request in requests() {
        for other in requests().into_iter().filter(|other| *other != request) {
            let file = whole(&store, &other).await;
            let kept = Kept::read(Cursor::new(file), &request);
            let n_rows = kept.map_or(0, |kept| kept.n_rows());
            assert_eq!(n_rows, 0, "{request:?} behind {other:?}");
        }
    }
}
