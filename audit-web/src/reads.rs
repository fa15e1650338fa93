//! Who read what: reading payloads is an event of the trail itself, recorded before the bytes leave.

use std::time::Duration;

use audit_core::event::{
    Client, ClientAddress, Decision, EventDraft, EventId, Method, Outcome, Role,
};
use audit_core::payload::{Payload, PayloadContext};

use audit_core::reader::Filter;
use serde_json::json;

use crate::access::Viewer;
use crate::problem::Problem;
use crate::state::Web;

/// How long a record may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The method of the event about events that were taken as a file.
const EXPORT_METHOD: &str = "audit/export";
/// The method of the event about an event whose payloads were read.
const READ_METHOD: &str = "audit/read";

impl Web {
    /// Records that somebody reads the payloads of an event; returns when that is as safe as the
    /// store of the trail promises.
    ///
    /// # Errors
    /// It cannot be recorded: the payloads must not be shown.
    pub(crate) async fn record_read(&self, viewer: &Viewer, id: EventId) -> Result<(), Problem> {
        self.record(viewer, READ_METHOD, &json!({ "event_id": id }).to_string())
            .await
    }

    /// Records that somebody takes the events that match, with their payloads.
    ///
    /// # Errors
    /// As [`record_read`](Self::record_read).
    pub(crate) async fn record_export(
        &self,
        viewer: &Viewer,
        filter: &Filter,
        format: &str,
    ) -> Result<(), Problem> {
        let request = json!({ "filter": filter.to_string(), "format": format });
        self.record(viewer, EXPORT_METHOD, &request.to_string())
            .await
    }

    async fn record(&self, viewer: &Viewer, method: &str, request: &str) -> Result<(), Problem> {
        let context = PayloadContext::request(self.logger.payload_policy());
        let draft = EventDraft::new(Method::lossy(method))
            .api_key_id(viewer.api_key_id())
            .client(Client::new().address(ClientAddress::lossy(viewer.address().to_string())))
            .role(Role::lossy(viewer.scopes().to_string()))
            .decision(Decision::allowed())
            .outcome(Outcome::Ok)
            .request(Payload::from_json(request, &context));
        // A store that is away is waited for; the reader is not kept waiting as long.
        let recorded = tokio::time::timeout(PATIENCE, self.logger.log_event(draft)).await;
        match recorded {
            Ok(Ok(recorded)) if recorded.is_stored() => Ok(()),
            Ok(Ok(_)) => Err(Problem::unrecorded(&"the logger did not store it")),
            Ok(Err(error)) => Err(Problem::unrecorded(&error)),
            Err(_) => Err(Problem::unrecorded(&"the store does not answer")),
        }
    }
}
