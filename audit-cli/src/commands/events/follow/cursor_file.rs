use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use audit_core::reader::{FollowFrom, FollowPosition};

use crate::failure::{Exit, Failure};

/// The place of a follower, across its runs. It is written behind what was printed, so after a crash
/// some events are printed once more, and none is missed.
#[derive(Debug)]
pub(in super::super) struct CursorFile {
    path: PathBuf,
    place: Option<FollowPosition>,
}

impl CursorFile {
    pub(super) fn open(path: PathBuf) -> Result<Self, Failure> {
        let place = match fs::read_to_string(&path) {
            Ok(text) => Some(FollowPosition::new(text.trim_end()).map_err(|error| {
                Failure::because(format!("{} holds no place", path.display()), &error)
                    .advice("name another file; without it, following begins with the first event")
                    .exit(Exit::Usage)
            })?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                let what = format!("the place in {} cannot be read", path.display());
                return Err(Failure::because(what, &error));
            }
        };
        Ok(Self { path, place })
    }

    pub(super) fn place(&self) -> FollowFrom {
        match &self.place {
            Some(place) => FollowFrom::After(place.clone()),
            None => FollowFrom::Beginning,
        }
    }

    /// Keeps a place: whole, or the one before.
    pub(super) fn keep(&mut self, place: &FollowPosition) -> Result<(), Failure> {
        if self.place.as_ref() == Some(place) {
            return Ok(());
        }
        replace(&self.path, place.as_str()).map_err(|error| {
            let what = format!("the place cannot be kept in {}", self.path.display());
            Failure::because(what, &error)
        })?;
        self.place = Some(place.clone());
        Ok(())
    }
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let mut file = fs::File::create(&beside)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    fs::rename(&beside, path)
}
