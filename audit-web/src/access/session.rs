use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::digest::Digest;
use super::secret::Secret;

/// The cookie of a browser's session. Browsers take a name that begins so only from an origin that
/// is safe, for that host alone and for all its paths; that of this machine counts as safe.
pub(crate) const SESSION_COOKIE: &str = "__Host-audit_session";

/// The sessions of browsers: each stands for a token, and ends no later than it does.
///
/// They live in memory, found by the digests of their ids: who reads the memory of the process has
/// more than that, who reads a dump of this map has nothing to present.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    /// By the text of the digest.
    open: Mutex<HashMap<String, Session>>,
}

#[derive(Clone, Copy, Debug)]
struct Session {
    token: Digest,
    begun: Duration,
    used: Duration,
}

impl Sessions {
    /// A session that nobody uses ends after so long.
    pub(crate) const MAX_IDLE: Duration = Duration::from_secs(60 * 60);
    /// A session ends after so long.
    pub(crate) const MAX_AGE: Duration = Duration::from_secs(12 * 60 * 60);
    /// As many are open at once; the one that was not used the longest makes room.
    const MOST: usize = 1_000;
    /// As many of one token: whoever logs in without end throws out none but himself.
    const MOST_OF_TOKEN: usize = 20;

    /// Begins a session for a token, and gives back its id.
    pub(crate) fn begin(&self, token: Digest, now: Duration) -> Secret {
        let id = Secret::random();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, session| session.is_open(now));
        let of_token = |session: &Session| session.token == token;
        if open.values().filter(|it| of_token(it)).count() >= Self::MOST_OF_TOKEN {
            remove_oldest(&mut open, of_token);
        } else if open.len() >= Self::MOST {
            remove_oldest(&mut open, |_| true);
        }
        let session = Session {
            token,
            begun: now,
            used: now,
        };
        open.insert(id.digest().to_string(), session);
        id
    }

    /// The token of an open session, which is used by that.
    pub(crate) fn token_of(&self, id: Digest, now: Duration) -> Option<Digest> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let session = open.get_mut(&id.to_string())?;
        if !session.is_open(now) {
            open.remove(&id.to_string());
            return None;
        }
        session.used = now;
        Some(session.token)
    }

    /// Ends a session.
    pub(crate) fn end(&self, id: Digest) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(&id.to_string());
    }
}

impl Session {
    fn is_open(&self, now: Duration) -> bool {
        now.saturating_sub(self.used) < Sessions::MAX_IDLE
            && now.saturating_sub(self.begun) < Sessions::MAX_AGE
    }
}

/// Ends the one that was not used the longest of those that are meant.
fn remove_oldest(open: &mut HashMap<String, Session>, is_meant: impl Fn(&Session) -> bool) {
    let meant = open.iter().filter(|(_, session)| is_meant(session));
    let oldest = meant.min_by_key(|(_, session)| session.used);
    if let Some(id) = oldest.map(|(id, _)| id.clone()) {
        open.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_session_ends_when_nobody_uses_it_or_when_it_is_old() {
        let sessions = Sessions::default();
        let token = Digest::of("token");
        let id = sessions.begin(token, Duration::ZERO).digest();
        let mut now = Duration::ZERO;
        while now < Sessions::MAX_AGE {
            assert_eq!(sessions.token_of(id, now), Some(token));
            now += 59 * MINUTE;
        }
        assert_eq!(sessions.token_of(id, now), None);
        let id = sessions.begin(token, now).digest();
        assert_eq!(sessions.token_of(id, now + 60 * MINUTE), None);
        assert_eq!(sessions.token_of(id, now), None, "what has ended stays so");
    }

    #[test]
    fn the_number_of_sessions_is_bounded() {
        let sessions = Sessions::default();
        let tokens: Vec<_> = (0..Sessions::MOST)
            .map(|n| Digest::of(&n.to_string()))
            .collect();
        let first = sessions.begin(Digest::of("token"), Duration::ZERO).digest();
        let begin = |token: &Digest| sessions.begin(*token, MINUTE).digest();
        let ids: Vec<_> = tokens.iter().map(begin).collect();
        assert_eq!(sessions.token_of(first, MINUTE), None);
        let mut all = ids.iter().zip(&tokens);
        assert!(all.all(|(id, token)| sessions.token_of(*id, MINUTE) == Some(*token)));
        sessions.end(ids[0]);
        assert_eq!(sessions.token_of(ids[0], MINUTE), None);
    }

    #[test]
    fn whoever_logs_in_without_end_throws_out_nobody_else() {
        let sessions = Sessions::default();
        let (token, other) = (Digest::of("token"), Digest::of("other"));
        let others = sessions.begin(other, Duration::ZERO).digest();
        let first = sessions.begin(token, MINUTE).digest();
        for _ in 0..2 * Sessions::MOST {
            sessions.begin(token, 2 * MINUTE);
        }
        assert_eq!(sessions.token_of(first, 2 * MINUTE), None);
        assert_eq!(sessions.token_of(others, 2 * MINUTE), Some(other));
        assert!(sessions.open.lock().unwrap().len() <= 1 + Sessions::MOST_OF_TOKEN);
    }
}
