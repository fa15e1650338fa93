use std::sync::Arc;

use audit_core::reader::Filter;
use audit_core::{AuditEvent, AuditReader, AuditSink as _};
use audit_export::{Compression, Export, ExportFormat, ExportRequest};
use audit_memory::MemoryStore;

/// A store with these events, a batch at a time.
pub(crate) async fn store(events: &[AuditEvent]) -> MemoryStore {
    let store = MemoryStore::new();
    for batch in events.chunks(1_000) {
        assert!(store.append(batch).await.unwrap().is_all_kept());
    }
    store
}

pub(crate) async fn begin(store: &MemoryStore, request: &ExportRequest) -> Export {
    let reader: Arc<dyn AuditReader> = Arc::new(store.clone());
    Export::begin(reader, request.clone()).await.unwrap()
}

/// The rest of an export.
pub(crate) async fn rest(export: &mut Export) -> Vec<u8> {
    let mut file = Vec::new();
    while let Some(chunk) = export.next_chunk().await.unwrap() {
        assert!(!chunk.is_empty());
        file.extend_from_slice(&chunk);
    }
    assert_eq!(export.next_chunk().await.unwrap(), None);
    file
}

pub(crate) async fn whole(store: &MemoryStore, request: &ExportRequest) -> Vec<u8> {
    rest(&mut begin(store, request).await).await
}

/// Every format, compressed and not.
pub(crate) fn requests() -> Vec<ExportRequest> {
    let mut requests = Vec::new();
    for format in ExportFormat::ALL {
        for compression in [Compression::None, Compression::Zstd] {
            requests.push(ExportRequest::new(Filter::all(), *format).compression(compression));
        }
    }
    requests
}

pub(crate) fn jsonl() -> ExportRequest {
    ExportRequest::new(Filter::all(), ExportFormat::Jsonl)
}
