//! Events from gateways in other languages.

mod batch;
mod door;
mod event;
mod known;
mod store;

use std::sync::Arc;

use audit_core::event::EventId;
use audit_core::payload::CallerCredential;
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use serde::Serialize;

use super::ask::unanswered;
use super::query::Query;
use crate::access::{Scope, Viewer};
use crate::problem::Problem;
use crate::state::Web;

pub(crate) use door::Door;

/// The most bytes of a batch.
pub(super) const MAX_BODY: usize = 4 << 20;

/// What became of a batch: one answer for each event, in its order.
#[derive(Serialize)]
pub(super) struct Answers {
    results: Vec<Answer>,
}

/// What became of one event.
#[derive(Clone, Debug, Serialize)]
struct Answer {
    /// As far as the event could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<EventId>,
    result: Fate,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Fate {
    /// The store had it before, with the same content.
    AlreadyStored,
    /// The store has something else under its id.
    Conflict,
    /// It will never be stored as it is.
    Refused,
    /// It is stored, as safely as the store promises.
    Stored,
}

/// `POST /api/v1/events`
///
/// An answer says what is stored by then. Where there is none, or it is a problem with a status of
/// 500 or above, the same batch is sent again: an id is stored once.
pub(super) async fn take(
    viewer: Viewer,
    State(web): State<Arc<Web>>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Answers>), Problem> {
    viewer.needs(Scope::Ingest)?;
    Query::parse(raw.as_deref(), &[])?;
    let Some(door) = &web.ingest else {
        let detail = "this server takes no events: its operator has to allow it";
        return Err(Problem::new(StatusCode::FORBIDDEN, "no-ingest", detail));
    };
    let own = web.logger.writer().as_str().split('/').next();
    if own == Some(viewer.name().as_str()) {
        let detail = "the token has the name under which the server writes: take another one";
        return Err(Problem::new(StatusCode::FORBIDDEN, "own-name", detail));
    }
    // Should the gateway's own token stand in an event, it is taken out.
    let token = headers.get(header::AUTHORIZATION);
    let token = token.map(|value| CallerCredential::new(value.as_bytes()));
    let logger = door
        .logger_of(viewer.name(), web.logger.payload_policy())
        .map_err(|error| unanswered(&error))?;
    let reading = logger.clone();
    let name = viewer.name().clone();
    let now = web.clock.now();
    // Redaction of a large batch takes a while, in which others want to be answered.
    let read = tokio::task::spawn_blocking(move || {
        let origin = event::Origin {
            policy: reading.payload_policy(),
            token,
            name: &name,
            now,
        };
        batch::read(&body, &origin)
    });
    let events = read.await.map_err(|error| {
        tracing::error!(%error, "a batch cannot be read");
        let detail = "the batch cannot be read; the log of the server says why";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "not-read", detail)
    })??;
    let results = store::store(&web, door.sink(), &logger, events).await?;
    for answer in &results {
        let result = answer.result.as_str();
        metrics::counter!("audit_web_ingested_events_total", "result" => result).increment(1);
    }
    let is_kept = |answer: &Answer| matches!(answer.result, Fate::Stored | Fate::AlreadyStored);
    let status = if results.iter().all(is_kept) {
        StatusCode::OK
    } else {
        StatusCode::MULTI_STATUS
    };
    Ok((status, Json(Answers { results })))
}

impl Fate {
    const fn as_str(self) -> &'static str {
        match self {
            Self::AlreadyStored => "already_stored",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
            Self::Stored => "stored",
        }
    }
}

impl Answer {
    fn of(id: EventId, result: Fate) -> Self {
        Self {
            id: Some(id),
            result,
            reason: None,
        }
    }

    fn refused(id: Option<EventId>, reason: impl Into<String>) -> Self {
        Self {
            id,
            result: Fate::Refused,
            reason: Some(reason.into()),
        }
    }
}
