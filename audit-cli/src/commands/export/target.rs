use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use audit_export::Kept;

use super::plan::Plan;
use crate::failure::{Exit, Failure};

/// Where an export goes.
pub(super) enum Target {
    File(FileTarget),
    Stdout,
}

/// A file: under another name until it is whole, with its plan beside it.
pub(super) struct FileTarget {
    path: PathBuf,
    partial: PathBuf,
    plan: PathBuf,
    /// A file of this name may be replaced.
    replaces: bool,
    file: Option<File>,
}

impl Target {
    pub(super) fn write(&mut self, chunk: &[u8]) -> Result<(), Failure> {
        match self {
            Self::File(target) => target.write(chunk),
            Self::Stdout => io::stdout().lock().write_all(chunk).map_err(unprinted),
        }
    }

    pub(super) fn end(self) -> Result<(), Failure> {
        match self {
            Self::File(target) => target.end(),
            Self::Stdout => io::stdout().flush().map_err(unprinted),
        }
    }

    /// A failure in the middle: a part is there, and of a file it is kept.
    pub(super) fn cut_short(&self, failure: Failure) -> Failure {
        match self {
            Self::File(target) => target.cut_short(failure),
            Self::Stdout => failure.exit(Exit::Incomplete),
        }
    }
}

fn unprinted(error: io::Error) -> Failure {
    Failure::because("the export cannot be printed", &error).exit(Exit::Incomplete)
}

impl FileTarget {
    /// Refuses what cannot get the name of a file once everything is written.
    pub(super) fn new(path: &Path) -> Result<Self, Failure> {
        let is_folder = path.as_os_str().as_encoded_bytes().ends_with(b"/");
        let is_other = path.metadata().is_ok_and(|it| !it.is_file());
        if path.file_name().is_none() || is_folder || is_other {
            let what = format!("{:?} is no name for a file of its own", path.display());
            return Err(Failure::new(what)
                .advice("name a file, or - for standard output")
                .exit(Exit::Usage));
        }
        let beside = |suffix| {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        Ok(Self {
            path: path.to_owned(),
            partial: beside(".partial"),
            plan: beside(".plan"),
            replaces: false,
            file: None,
        })
    }

    /// Nothing is overwritten unless the user says so.
    pub(super) fn check_free(&self, force: bool) -> Result<(), Failure> {
        if force {
            return Ok(());
        }
        if is_there(&self.path) {
            return Err(taken(
                &self.path,
                "name another file, or replace it: --force",
            ));
        }
        if is_there(&self.partial) {
            return Err(taken(
                &self.partial,
                match is_there(&self.plan) {
                    true => "go on with it: --resume; or begin anew: --force",
                    false => "nobody knows any more of what it is a part; begin anew: --force",
                },
            ));
        }
        Ok(())
    }

    /// Whether there is something to go on with.
    pub(super) fn has_begun(&self) -> bool {
        is_there(&self.plan) && is_there(&self.partial)
    }

    pub(super) fn begin(mut self, plan: &Plan, force: bool) -> Result<Self, Failure> {
        let cannot = |path: &Path, error: &io::Error| {
            Failure::because(format!("{} cannot be written", path.display()), error)
        };
        if force {
            self.clear()?;
        }
        // The part comes before its plan: never are rows of one export there with the plan of another.
        let file = create_private(&self.partial).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => taken(
                &self.partial,
                "another process exports to it; name another file",
            ),
            _ => cannot(&self.partial, &error),
        })?;
        self.lock(&file)?;
        let text = plan.to_json()?;
        let write_plan = || {
            remove_if_there(&self.plan)?;
            let mut file = create_private(&self.plan)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write_plan().map_err(|error| cannot(&self.plan, &error))?;
        self.replaces = plan.replaces();
        self.file = Some(file);
        Ok(self)
    }

    /// Removes what an interrupted export has left, but not one that is at work.
    fn clear(&self) -> Result<(), Failure> {
        let cannot = |error: io::Error| {
            let what = format!("{} cannot be begun anew", self.path.display());
            Failure::because(what, &error)
        };
        if self.partial.symlink_metadata().is_ok_and(|it| it.is_file()) {
            let old = OpenOptions::new().write(true).open(&self.partial);
            self.lock(&old.map_err(cannot)?)?;
        }
        remove_if_there(&self.plan).map_err(cannot)?;
        remove_if_there(&self.partial).map_err(cannot)
    }

    /// One process at a time writes to a part; the lock ends with the process.
    fn lock(&self, file: &File) -> Result<(), Failure> {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                let what = format!("another process exports to {}", self.path.display());
                Err(Failure::new(what).advice("wait for it, or name another file"))
            }
            // There are file systems without locks.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
        }
    }

    pub(super) fn plan(&self) -> Result<Plan, Failure> {
        let text = fs::read_to_string(&self.plan).map_err(|error| self.not_begun(&error))?;
        Plan::from_json(&text)
    }

    fn not_begun(&self, error: &io::Error) -> Failure {
        let what = format!("no interrupted export of {} is there", self.path.display());
        let failure = Failure::because(what, error);
        match error.kind() {
            io::ErrorKind::NotFound => failure.exit(Exit::NotFound),
            _ => failure,
        }
    }

    /// Cuts the part to what of it is whole, and goes on behind that.
    pub(super) async fn go_on(mut self, plan: &Plan) -> Result<(Self, Kept), Failure> {
        let cannot = |error: &(dyn std::error::Error + 'static)| {
            let what = format!("{} cannot be resumed", self.partial.display());
            Failure::because(what, error).advice("begin anew: --force")
        };
        let failed = |error: io::Error| cannot(&error);
        let mut options = OpenOptions::new();
        options.read(true).append(true);
        let file = options.open(&self.partial);
        let file = file.map_err(|error| self.not_begun(&error))?;
        self.lock(&file)?;
        let input = file.try_clone().map_err(failed)?;
        let request = plan.request()?;
        let kept = tokio::task::spawn_blocking(move || Kept::read(input, &request)).await;
        let kept = kept
            .map_err(|error| cannot(&error))?
            .map_err(|error| cannot(&error))?;
        file.set_len(kept.n_file_bytes()).map_err(failed)?;
        self.replaces = plan.replaces();
        self.file = Some(file);
        Ok((self, kept))
    }

    fn write(&mut self, chunk: &[u8]) -> Result<(), Failure> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        file.write_all(chunk).map_err(|error| {
            let what = format!("{} cannot be written", self.partial.display());
            self.cut_short(Failure::because(what, &error))
        })
    }

    pub(super) fn cut_short(&self, failure: Failure) -> Failure {
        failure
            .advice(format!(
                "audit export --resume --to {} goes on with it; name the store as before",
                self.path.display()
            ))
            .exit(Exit::Incomplete)
    }

    /// Gives the whole file its name.
    fn end(self) -> Result<(), Failure> {
        let cannot = |error: io::Error| {
            let what = format!("{} cannot get its name", self.partial.display());
            self.cut_short(Failure::because(what, &error))
        };
        if let Some(file) = &self.file {
            file.sync_all().map_err(cannot)?;
        }
        if !self.replaces && is_there(&self.path) {
            let what = format!("meanwhile somebody else wrote {}", self.path.display());
            return Err(Failure::new(what)
                .advice("move it away, and say the same again with --resume")
                .exit(Exit::Incomplete));
        }
        fs::rename(&self.partial, &self.path).map_err(cannot)?;
        sync_folder(&self.path).map_err(cannot)?;
        remove_if_there(&self.plan).map_err(cannot)
    }
}

/// Also a link that leads nowhere is there.
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn taken(path: &Path, advice: &str) -> Failure {
    Failure::new(format!("{} is there", path.display()))
        .advice(advice)
        .exit(Exit::Usage)
}

/// What was recorded is for its owner's eyes, and goes through no link that somebody else laid: the
/// file is a new one.
fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// So that the name survives the loss of power, too.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    match cfg!(unix) {
        true => File::open(folder)?.sync_all(),
        false => Ok(()),
    }
}

/// Opens a file to read, or standard input for `-`.
pub(in crate::commands) fn open(path: &Path) -> Result<Box<dyn io::Read + Send>, Failure> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin()));
    }
    match File::open(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(error) => {
            let failure = Failure::because(format!("{} cannot be read", path.display()), &error);
            Err(match error.kind() {
                io::ErrorKind::NotFound => failure.exit(Exit::NotFound),
                _ => failure,
            })
        }
    }
}
