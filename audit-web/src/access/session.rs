use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use audit_core::Clock;
use audit_core::event::Timestamp;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::secret::Secret;

/// The cookie of a browser's session. Browsers take a name that begins so only from an origin that
/// is safe, for that host alone and for all its paths; that of this machine counts as safe.
pub(crate) const SESSION_COOKIE: &str = "__Host-audit_session";

/// The sessions of browsers: each stands for a token, and ends no later than it does.
///
/// They live in memory, found by the digests of their ids: who reads the memory of the process has
/// more than that, who reads a dump of this map has nothing to present. Between two processes of one
/// server they lie in a [`SessionFile`](super::SessionFile).
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    /// By the text of the digest.
    open: Mutex<HashMap<String, Session>>,
}

#[derive(Clone, Copy, Debug)]
struct Session {
    token: Digest,
    /// When it ends, whoever uses it.
    ends: Duration,
    /// When it ends if nobody uses it.
    idle_ends: Duration,
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
            ends: now + Self::MAX_AGE,
            idle_ends: now + Self::MAX_IDLE,
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
        session.idle_ends = now + Self::MAX_IDLE;
        Some(session.token)
    }

    /// What is open, to be gone on with by another process.
    pub(super) fn kept(&self, now: Moment) -> Vec<KeptSession> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let is_open = |session: &&Session| session.is_open(now.monotonic);
        let all = open.iter().filter(|(_, session)| is_open(session));
        all.map(|(id, session)| KeptSession {
            id: id.clone(),
            token: session.token.to_string(),
            ends: now.of(session.ends),
            idle_ends: now.of(session.idle_ends),
        })
        .collect()
    }

    /// Goes on with what another process kept. No session gets longer by that.
    pub(super) fn go_on(&self, kept: Vec<KeptSession>, now: Moment) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for session in kept.into_iter().take(Self::MOST) {
            let digests = (
                Digest::from_hex(&session.id),
                Digest::from_hex(&session.token),
            );
            let (Some(id), Some(token)) = digests else {
                continue;
            };
            let until = |end, most| now.monotonic + std::cmp::min(now.left_until(end), most);
            let session = Session {
                token,
                ends: until(session.ends, Self::MAX_AGE),
                idle_ends: until(session.idle_ends, Self::MAX_IDLE),
            };
            open.insert(id.to_string(), session);
        }
    }

    /// Ends a session.
    pub(crate) fn end(&self, id: Digest) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(&id.to_string());
    }
}

/// A session as one process leaves it to another: no secret is in it.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct KeptSession {
    /// The digest of its id.
    id: String,
    /// The digest of its token.
    token: String,
    /// In microseconds since 1970, as the next.
    ends: i64,
    idle_ends: i64,
}

/// The same moment by both clocks: the one that processes share, and the one that is never set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    wall: Timestamp,
    monotonic: Duration,
}

impl Moment {
    pub(crate) fn of_clock(clock: &dyn Clock) -> Self {
        Self {
            wall: clock.now(),
            monotonic: clock.monotonic(),
        }
    }

    /// When that will be by the clock that processes share.
    fn of(self, monotonic: Duration) -> i64 {
        let ahead = monotonic.saturating_sub(self.monotonic).as_micros();
        let ahead = i64::try_from(ahead).unwrap_or(i64::MAX);
        self.wall.as_micros().saturating_add(ahead)
    }

    fn left_until(self, wall: i64) -> Duration {
        let micros = wall.saturating_sub(self.wall.as_micros());
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }
}

impl Session {
    fn is_open(&self, now: Duration) -> bool {
        now < self.idle_ends && now < self.ends
    }
}

/// Ends the one that was not used the longest of those that are meant.
fn remove_oldest(open: &mut HashMap<String, Session>, is_meant: impl Fn(&Session) -> bool) {
    let meant = open.iter().filter(|(_, session)| is_meant(session));
    let oldest = meant.min_by_key(|(_, session)| session.idle_ends);
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

    fn moment(wall_seconds: i64, monotonic: Duration) -> Moment {
        let micros = 1_700_000_000_000_000 + wall_seconds * 1_000_000;
        Moment {
            wall: Timestamp::from_micros(micros).unwrap(),
            monotonic,
        }
    }

    #[test]
    fn a_session_goes_on_in_another_process_and_lives_no_longer_by_it() {
        let sessions = Sessions::default();
        let token = Digest::of("token");
        let id = sessions.begin(token, 5 * MINUTE).digest();
        let kept = sessions.kept(moment(0, 25 * MINUTE));
        // Another process begins to count anew, ten minutes later.
        let after = Sessions::default();
        after.go_on(kept, moment(600, MINUTE));
        assert_eq!(after.token_of(id, MINUTE), Some(token));
        let again = after.kept(moment(600, MINUTE));
        assert_eq!(again.len(), 1);
        let late = Sessions::default();
        late.go_on(again, moment(600 + 12 * 60 * 60, MINUTE));
        assert_eq!(late.token_of(id, MINUTE), None);
        // Of a clock that is set back nobody gets more than a new session has.
        let early = Sessions::default();
        early.go_on(after.kept(moment(0, MINUTE)), moment(-1_000_000, MINUTE));
        assert_eq!(early.token_of(id, 60 * MINUTE), Some(token));
        assert_eq!(early.token_of(id, 13 * 60 * MINUTE), None);
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
