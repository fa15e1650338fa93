use std::sync::Arc;

use audit_core::Error;
use audit_export::{Compression, Export, ExportFormat, ExportRequest};
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;

use super::ask::ask;
use super::query::Query;
use crate::access::{Scope, Viewer};
use crate::problem::Problem;
use crate::state::Web;

/// `GET /api/v1/export`
///
/// The events that match, with their payloads, as a file. It is on record before its first byte
/// leaves. A client that stops reading stops the export; a file without its last line was cut.
pub(super) async fn export(
    viewer: Viewer,
    State(web): State<Arc<Web>>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Problem> {
    viewer.needs(Scope::Auditor)?;
    let query = Query::parse(raw.as_deref(), &["compression", "filter", "format"])?;
    let filter = query.filter(web.clock.now())?;
    let format = query.read("format")?.unwrap_or(ExportFormat::Jsonl);
    let words = [("none", Compression::None), ("zstd", Compression::Zstd)];
    let compression = query.one_of("compression", &words)?.unwrap_or_default();
    web.record_export(&viewer, &filter, format.as_str()).await?;
    let request = ExportRequest::new(filter, format).compression(compression);
    let is_compressed = matches!(compression, Compression::Zstd);
    let export = ask(Export::begin(Arc::clone(&web.reader), request)).await?;
    let running = Running {
        export,
        web,
        viewer,
    };
    let mut response = Body::from_stream(running.into_stream()).into_response();
    let (media_type, ending) = if is_compressed {
        ("application/zstd", ".zst")
    } else {
        (format.media_type(), "")
    };
    let name = format!("attachment; filename=\"audit-events.{format}{ending}\"");
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    // Static text and the word of a format are a header.
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// An export under way, for as long as its reader may read.
struct Running {
    export: Export,
    web: Arc<Web>,
    viewer: Viewer,
}

impl Running {
    fn into_stream(self) -> impl futures_util::Stream<Item = Result<Bytes, Error>> + Send {
        stream::try_unfold(self, async |mut running| {
            let chunk = running.next().await?;
            Ok(chunk.map(|chunk| (chunk, running)))
        })
    }

    /// The next chunk. What fails here cuts the body, and with it the file: it has no last line.
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        match self.viewer.is_valid(&self.web) {
            Ok(true) => {}
            Ok(false) => return Err(cut("the token of an export is not valid any more")),
            Err(error) => {
                tracing::error!(%error, "the tokens cannot be read: an export ends");
                return Err(cut("the tokens cannot be read"));
            }
        }
        let chunk = self.export.next_chunk().await;
        chunk.inspect_err(|error| tracing::warn!(%error, "an export is cut"))
    }
}

fn cut(why: &'static str) -> Error {
    Error::new(audit_core::ErrorKind::Closed, why)
}
