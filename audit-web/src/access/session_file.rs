use std::io;
use std::path::PathBuf;

use super::private_file::PrivateFile;
use super::session::{KeptSession, Moment, Sessions};

/// Where the sessions of browsers lie while a server is started anew, so that people stay logged in
/// and what they follow goes on. It holds digests alone, readable for its owner, and is gone once a
/// server has read it: a server that was killed leaves none, and people log in again.
#[derive(Clone, Debug)]
pub struct SessionFile {
    file: PrivateFile,
}

impl SessionFile {
    /// The file at this path, which need not exist yet.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            file: PrivateFile::at(path),
        }
    }

    /// Goes on with the sessions that lie there. What cannot be read is no session, and stays no
    /// reason to serve nobody.
    pub(crate) fn take(&self, sessions: &Sessions, now: Moment) {
        let taken = self.file.read().and_then(|json| {
            // It is worth one start: sessions that end in this process must not come back in another.
            self.file.remove()?;
            let kept = serde_json::from_str::<Vec<KeptSession>>(json.as_deref().unwrap_or("[]"));
            kept.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
        });
        match taken {
            Ok(kept) => sessions.go_on(kept, now),
            Err(error) => tracing::warn!(
                %error,
                path = %self.file.path().display(),
                "sessions of browsers do not go on: people log in again"
            ),
        }
    }

    /// Leaves the open sessions to the next server.
    pub(crate) fn keep(&self, sessions: &Sessions, now: Moment) {
        let json = serde_json::to_string(&sessions.kept(now)).map_err(io::Error::other);
        if let Err(error) = json.and_then(|json| self.file.replace(&json)) {
            tracing::warn!(
                %error,
                path = %self.file.path().display(),
                "sessions of browsers end with this server: people log in again"
            );
        }
    }
}
