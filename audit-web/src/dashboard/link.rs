//! Where pages are. Every URL of the dashboard is put together here.

use audit_core::event::{EventId, Timestamp};
use audit_core::reader::Filter;
use audit_export::ExportFormat;

use super::subject::Kind;
use crate::api::written;

/// The list of a filter, whose moments count from `at`.
pub(super) fn explorer(filter: &str, at: Timestamp) -> String {
    with("/explore", &[("q", filter), ("at", &moment(at))])
}

/// The list of a filter, whose moments count from whenever it is looked at.
pub(super) fn explorer_from_now(filter: &str) -> String {
    with("/explore", &[("q", filter)])
}

/// The counts of a filter.
pub(super) fn counts(filter: &str, at: Timestamp) -> String {
    with("/explore/counts", &[("q", filter), ("at", &moment(at))])
}

/// The page of an event, with its payloads.
pub(super) fn event(id: EventId) -> String {
    format!("/event/{id}")
}

/// The live tail of a filter.
pub(super) fn live(filter: &str) -> String {
    with("/live", &[("q", filter)])
}

/// The events of a filter as a file. Its moments stand in it, so that it is the list that was seen.
pub(super) fn export(filter: &Filter, format: &ExportFormat) -> String {
    let parameters = [
        ("filter", &*filter.to_string()),
        ("format", format.as_str()),
    ];
    with("/api/v1/export", &parameters)
}

/// The page of a tool, a key or a session. Its name is a parameter: as a part of the path, `..` would
/// be another page.
pub(super) fn subject(kind: Kind, name: &str) -> String {
    with(kind.path(), &[("name", name)])
}

/// A path with parameters.
pub(super) fn with(path: &str, parameters: &[(&str, &str)]) -> String {
    format!("{path}?{}", written(parameters))
}

/// A moment as a parameter.
pub(super) fn moment(at: Timestamp) -> String {
    at.to_string().replace(".000000Z", "Z")
}
