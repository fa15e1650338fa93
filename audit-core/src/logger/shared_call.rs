use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::acknowledgement::Acknowledgement;
use super::call::OpenCall;
use crate::event::{EventId, Outcome};

/// A call that several layers of a gateway complete: the HTTP layer that began it, a middleware
/// that decides, the handler that knows the tool.
///
/// Whoever began the call finishes it. Layers further in say what they know through clones of this
/// handle; what comes after the end is ignored. If every clone is dropped without an end, the record
/// says `aborted`, as that of an [`OpenCall`] does.
///
/// # Examples
/// ```
/// # use audit_core::{AuditLogger, Error, event::{Decision, EventDraft, Method, Outcome}};
/// # use audit_core::logger::SharedCall;
/// # async fn example(logger: AuditLogger) -> Result<(), Error> {
/// let call = SharedCall::new(logger.begin(EventDraft::new(Method::tools_call())).await?);
/// let inner = call.clone();
/// inner.update(|call| call.amend(|draft| draft.decision(Decision::allowed())));
/// inner.say(Outcome::ToolError);
/// // The layer that began it knows less than the handler.
/// if let Some(recorded) = call.finish(Outcome::Ok) {
///     recorded.await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SharedCall {
    id: EventId,
    progress: Arc<Mutex<Progress>>,
}

#[derive(Debug)]
struct Progress {
    /// `None` once it was finished.
    call: Option<OpenCall>,
    said: Option<Outcome>,
    is_claimed: bool,
}

impl SharedCall {
    /// Lets others complete this call.
    #[must_use]
    pub fn new(call: OpenCall) -> Self {
        Self {
            id: call.id(),
            progress: Arc::new(Mutex::new(Progress {
                call: Some(call),
                said: None,
                is_claimed: false,
            })),
        }
    }

    /// The id that the record will have.
    #[must_use]
    pub fn id(&self) -> EventId {
        self.id
    }

    /// Takes the call over for one thing that it is about: true for the first who asks. A request
    /// that carries several calls has one record for the first; the others need their own.
    #[must_use]
    pub fn claim(&self) -> bool {
        !std::mem::replace(&mut self.lock().is_claimed, true)
    }

    /// Whether somebody took the call over.
    #[must_use]
    pub fn is_claimed(&self) -> bool {
        self.lock().is_claimed
    }

    /// Changes the call, unless it has ended. Another layer waits meanwhile: payloads may be made
    /// in here, and nothing slower.
    pub fn update<T>(&self, change: impl FnOnce(&mut OpenCall) -> T) -> Option<T> {
        self.lock().call.as_mut().map(change)
    }

    /// Says what came of the call, for whoever finishes it. The last word counts.
    pub fn say(&self, outcome: Outcome) {
        self.lock().said = Some(outcome);
    }

    /// What was said last.
    #[must_use]
    pub fn said(&self) -> Option<Outcome> {
        self.lock().said
    }

    /// Records the outcome that was said, or this one if none was. Only the first end counts; the
    /// others get `None`.
    pub fn finish(&self, otherwise: Outcome) -> Option<Acknowledgement> {
        self.finish_as(|said| said.unwrap_or(otherwise))
    }

    /// The same, for an end that may outweigh what was said, as a caller who left does.
    pub fn finish_as(
        &self,
        judge: impl FnOnce(Option<Outcome>) -> Outcome,
    ) -> Option<Acknowledgement> {
        let mut progress = self.lock();
        let call = progress.call.take()?;
        Some(call.finish(judge(progress.said)))
    }

    /// A change that panicked left the call as it was: what is known of it is still recorded.
    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
