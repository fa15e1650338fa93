//! A file that is damaged: noticing it, setting it aside, and saying so.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use audit_core::event::{
    EventDraft, InvalidField, Method, Outcome, Role, Seq, Timestamp, WriterId,
};
use audit_core::payload::{Payload, PayloadContext, PayloadPolicy};
use audit_core::{Clock, Error, ErrorKind, IdSource, MonotonicIds, SystemClock};
use serde::Serialize;
use sqlx::SqliteConnection;

use crate::error::{ResultError, convert};
use crate::file::{DatabaseFile, failed, with_suffix};
use crate::sink::append_within;

/// The method of the event that says that a damaged file was set aside. Its request has the new
/// name of the file and the reason.
pub const DAMAGE_METHOD: &str = "audit/damage";
/// The role of that event.
pub const DAMAGE_ROLE: &str = "audit";

/// A damaged file that was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetAside {
    /// Where it is now. Its log stands beside it, as `…-wal`.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

/// What is wrong with a file.
#[derive(Debug)]
pub(crate) struct Damage(pub(crate) String);

/// The request of the event.
#[derive(Serialize)]
struct DamageForm<'a> {
    set_aside_as: &'a str,
    reason: &'a str,
}

/// Files that were set aside by a process that ended before it could say so are told of too; but
/// no more than these.
const MAX_TOLD: usize = 100;
const SUFFIX: &str = ".damaged-";
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

impl Damage {
    /// What an error says about the file, if that is what it is about.
    pub(crate) fn of(error: &sqlx::Error) -> Option<Self> {
        let result = ResultError::of(error).filter(ResultError::is_damage)?;
        Some(Self(result.to_string()))
    }

    /// Looks through the whole file.
    pub(crate) async fn find(connection: &mut SqliteConnection) -> Result<Option<Self>, Error> {
        const MAX_CHARS: usize = 200;
        let check = sqlx::query_scalar("PRAGMA quick_check(1)");
        let lines: Vec<String> = match check.fetch_all(connection).await {
            Ok(lines) => lines,
            Err(error) => {
                let damage = Self::of(&error);
                return damage
                    .map(Some)
                    .ok_or_else(|| convert("the file cannot be checked", &error));
            }
        };
        if lines == ["ok"] {
            return Ok(None);
        }
        let text = lines.join(" ").replace('\n', " ");
        Ok(Some(Self(text.chars().take(MAX_CHARS).collect())))
    }

    /// Gives the file another name. Nobody may have it open.
    ///
    /// The log goes first. Should this end half-way, what is left is still damaged; a log that was
    /// left beside a new file would be taken for its own.
    pub(crate) fn set_aside(self, file: &DatabaseFile, now: Timestamp) -> Result<SetAside, Error> {
        let path = free_name(file, now);
        for companion in COMPANIONS {
            rename(&file.beside(companion), &with_suffix(&path, companion))?;
        }
        rename(file.path(), &path)?;
        file.sync_folder()?;
        let reason = self.0;
        tracing::error!(set_aside_as = %path.display(), %reason, "the file of audit events is damaged, a new one is begun");
        Ok(SetAside { path, reason })
    }
}

fn free_name(file: &DatabaseFile, now: Timestamp) -> PathBuf {
    let moment = now.to_datetime().format("%Y%m%dT%H%M%SZ");
    let is_free = |path: &PathBuf| {
        let with_companions = COMPANIONS.iter().map(|it| with_suffix(path, it));
        !path.exists() && !with_companions.into_iter().any(|path| path.exists())
    };
    let numbered = (2_u32..).map(|number| file.beside(&format!("{SUFFIX}{moment}-{number}")));
    let first = file.beside(&format!("{SUFFIX}{moment}"));
    let mut names = std::iter::once(first.clone()).chain(numbered);
    names.find(is_free).unwrap_or(first)
}

fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(failed("the damaged file cannot be set aside", error))
        }
        _ => Ok(()),
    }
}

/// Stores an event about each file that was set aside, in a store that is new.
pub(crate) async fn tell(
    connection: &mut SqliteConnection,
    file: &DatabaseFile,
    just_now: Option<&SetAside>,
) -> Result<(), Error> {
    let names = set_aside_before(file);
    let names = names.map_err(|error| failed("the folder of the file cannot be read", error))?;
    let clock = SystemClock::new();
    let ids = MonotonicIds::new();
    let mut events = Vec::new();
    let mut seq = Seq::FIRST;
    // Who begins a store knows of no other writer.
    let writer = format!(
        "audit-sqlite/{}",
        ids.event_id(clock.now()).as_uuid().as_simple()
    );
    for path in names.iter().rev().take(MAX_TOLD) {
        let reason = match just_now {
            Some(it) if it.path == *path => it.reason.as_str(),
            _ => "it was set aside before, and the store that was begun then is gone",
        };
        let ts = clock.now();
        let event = draft(path, reason).and_then(|draft| {
            let draft = draft.ts(ts).id(ids.event_id(ts));
            draft.stamp(WriterId::new(writer.as_str())?, seq)
        });
        events.push(event.map_err(|error| {
            let text = "the event about a damaged file cannot be made";
            Error::with_source(ErrorKind::Internal, text, error)
        })?);
        seq = seq.next();
    }
    if !events.is_empty() {
        append_within(connection, &events, clock.now()).await?;
    }
    Ok(())
}

fn set_aside_before(file: &DatabaseFile) -> io::Result<BTreeSet<PathBuf>> {
    let (Some(folder), Some(name)) = (file.path().parent(), file.path().file_name()) else {
        return Ok(BTreeSet::new());
    };
    let prefix = format!("{}{SUFFIX}", name.to_string_lossy());
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let Some(name) = name.to_str().filter(|name| name.starts_with(&prefix)) else {
            continue;
        };
        let without = COMPANIONS.iter().find_map(|it| name.strip_suffix(it));
        found.insert(folder.join(without.unwrap_or(name)));
    }
    Ok(found)
}

/// The event that says that a file was set aside under this name.
pub(crate) fn draft(path: &Path, reason: &str) -> Result<EventDraft, InvalidField> {
    let policy = PayloadPolicy::default();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let form = DamageForm {
        set_aside_as: &name,
        reason,
    };
    Ok(EventDraft::new(Method::new(DAMAGE_METHOD)?)
        .role(Role::new(DAMAGE_ROLE)?)
        .outcome(Outcome::InternalError)
        .request(Payload::from_serialize(
            &form,
            &PayloadContext::request(&policy),
        )))
}
