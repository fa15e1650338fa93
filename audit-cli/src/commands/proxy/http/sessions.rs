//! The conversations of sessions: an answer, a cancel or a request of the server may come in another
//! request than the call.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use audit_mcp::conversation::{Conversation, Side};

/// The most sessions that are known at once. Beyond it the one that was used least lately is over.
const MAX_SESSIONS: usize = 10_000;

/// Conversations by the id of their session.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    by_id: HashMap<String, (u64, Conversation)>,
    /// Counts uses.
    tick: u64,
}

impl Sessions {
    /// The conversation of a session. One that is not known may have begun before this proxy did.
    pub(super) fn get_or_insert(
        &self,
        id: &str,
        new: impl FnOnce() -> Conversation,
    ) -> Conversation {
        let mut known = self.lock();
        let tick = known.next_tick();
        if let Some((used, conversation)) = known.by_id.get_mut(id) {
            *used = tick;
            return conversation.clone();
        }
        let conversation = new();
        known.insert(id, &conversation, tick);
        conversation
    }

    /// The server has given this conversation a session.
    pub(super) fn begin(&self, id: &str, conversation: &Conversation) {
        let mut known = self.lock();
        let tick = known.next_tick();
        if !known.by_id.contains_key(id) {
            known.insert(id, conversation, tick);
        }
    }

    /// The client has ended it.
    pub(super) fn end(&self, id: &str) {
        let ended = self.lock().by_id.remove(id);
        if let Some((_, conversation)) = ended {
            conversation.gone(Side::Client);
        }
    }

    /// No answer comes to any of them any more.
    pub(super) fn end_all(&self) {
        let ended = std::mem::take(&mut self.lock().by_id);
        drop(ended);
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn next_tick(&mut self) -> u64 {
        self.tick += 1;
        self.tick
    }

    fn insert(&mut self, id: &str, conversation: &Conversation, tick: u64) {
        if self.by_id.len() >= MAX_SESSIONS {
            let oldest = self.by_id.iter().min_by_key(|(_, (used, _))| *used);
            let oldest = oldest.map(|(id, _)| id.clone());
            if let Some((_, conversation)) = oldest.and_then(|id| self.by_id.remove(&id)) {
                conversation.gone(Side::Client);
            }
        }
        self.by_id
            .insert(id.to_owned(), (tick, conversation.clone()));
    }
}
