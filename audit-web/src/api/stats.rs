use std::collections::BTreeMap;
use std::sync::Arc;

use audit_core::event::{CheckName, Outcome, Timestamp};
use audit_core::reader::{
    GroupBy, GroupKey, LatencyPercentiles, Statistics, StatisticsRequest, StatisticsRow, TextField,
    TimeBucket,
};
use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;

use super::ask::ask;
use super::query::{Query, invalid};
use crate::access::{Scope, Viewer};
use crate::problem::Problem;
use crate::state::Web;

/// The words for what calls are counted by; those of the filter grammar, where it has them.
const GROUPS: [(&str, GroupBy); 22] = [
    ("address", GroupBy::Text(TextField::ClientAddress)),
    ("auth", GroupBy::Verdict(CheckName::Auth)),
    ("auth_reason", GroupBy::Reason(CheckName::Auth)),
    ("authz", GroupBy::Verdict(CheckName::Authz)),
    ("authz_reason", GroupBy::Reason(CheckName::Authz)),
    ("client", GroupBy::Text(TextField::ClientName)),
    ("client_version", GroupBy::Text(TextField::ClientVersion)),
    ("day", GroupBy::Time(TimeBucket::Day)),
    ("hour", GroupBy::Time(TimeBucket::Hour)),
    ("key", GroupBy::Text(TextField::Key)),
    ("method", GroupBy::Text(TextField::Method)),
    ("minute", GroupBy::Time(TimeBucket::Minute)),
    ("nothing", GroupBy::Nothing),
    ("outcome", GroupBy::Outcome),
    ("rate", GroupBy::Verdict(CheckName::Rate)),
    ("rate_reason", GroupBy::Reason(CheckName::Rate)),
    ("request", GroupBy::Text(TextField::RequestId)),
    ("role", GroupBy::Text(TextField::Role)),
    ("session", GroupBy::Text(TextField::Session)),
    ("tool", GroupBy::Text(TextField::Tool)),
    ("upstream", GroupBy::Text(TextField::Upstream)),
    ("writer", GroupBy::Text(TextField::Writer)),
];

#[derive(Serialize)]
pub(super) struct Answer {
    filter: String,
    rows: Vec<Row>,
    is_capped: bool,
}

#[derive(Serialize)]
struct Row {
    key: Key,
    n_events: u64,
    outcomes: BTreeMap<&'static str, u64>,
    latency_ms: Latencies,
}

/// `null` where the calls have no such text, or have nothing in common.
#[derive(Serialize)]
#[serde(untagged)]
enum Key {
    Text(Option<Box<str>>),
    Time(Timestamp),
}

#[derive(Serialize)]
struct Latencies {
    p50: f64,
    p95: f64,
    p99: f64,
    max: f64,
}

/// `GET /api/v1/stats`
pub(super) async fn count(
    viewer: Viewer,
    State(web): State<Arc<Web>>,
    RawQuery(raw): RawQuery,
) -> Result<Json<Answer>, Problem> {
    viewer.needs(Scope::Viewer)?;
    let query = Query::parse(raw.as_deref(), &["by", "filter", "limit"])?;
    let filter = query.filter(web.clock.now())?;
    let understood = filter.to_string();
    let mut request = StatisticsRequest::new(filter);
    if let Some(group) = query.one_of("by", &GROUPS)? {
        request = request.group_by(group);
    }
    if let Some(limit) = query.read("limit")? {
        let limited = request.limit(limit);
        request = limited.map_err(|error| invalid("limit", error))?;
    }
    let statistics = ask(web.reader.statistics(&request)).await?;
    Ok(Json(Answer::of(understood, statistics)))
}

impl Answer {
    fn of(filter: String, statistics: Statistics) -> Self {
        Self {
            filter,
            rows: statistics.rows.into_iter().map(Row::from).collect(),
            is_capped: statistics.is_capped,
        }
    }
}

impl From<StatisticsRow> for Row {
    fn from(row: StatisticsRow) -> Self {
        let word = |(outcome, n): (Outcome, u64)| (outcome.as_str(), n);
        Self {
            key: match row.key {
                GroupKey::Text(text) => Key::Text(Some(text)),
                GroupKey::Time(begin) => Key::Time(begin),
                _ => Key::Text(None),
            },
            n_events: row.n_events,
            outcomes: row.outcomes.into_iter().map(word).collect(),
            latency_ms: row.latency_ms.into(),
        }
    }
}

impl From<LatencyPercentiles> for Latencies {
    fn from(latency: LatencyPercentiles) -> Self {
        Self {
            p50: latency.p50.as_millis(),
            p95: latency.p95.as_millis(),
            p99: latency.p99.as_millis(),
            max: latency.max.as_millis(),
        }
    }
}
