use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use audit_export::{ExportRequest, Kept};

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
    file: Option<File>,
}

impl Target {
    pub(super) fn write(&mut self, chunk: &[u8]) -> Result<(), Failure> {
        match self {
            Self::File(target) => target.write(chunk),
            Self::Stdout => io::stdout().lock().write_all(chunk).map_err(|error| {
                Failure::because("the export cannot be printed", &error).exit(Exit::Incomplete)
            }),
        }
    }

    pub(super) fn end(self) -> Result<(), Failure> {
        match self {
            Self::File(target) => target.end(),
            Self::Stdout => io::stdout()
                .flush()
                .map_err(|error| Failure::because("the export cannot be printed", &error)),
        }
    }

    /// Says with a failure what becomes of the part that is there.
    pub(super) fn advise(&self, failure: Failure) -> Failure {
        match self {
            Self::File(target) => failure.advice(format!(
                "audit export --resume --to {} goes on with it",
                target.path.display()
            )),
            Self::Stdout => failure,
        }
    }
}

impl FileTarget {
    pub(super) fn new(path: &Path) -> Self {
        let beside = |suffix| {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        Self {
            path: path.to_owned(),
            partial: beside(".partial"),
            plan: beside(".plan"),
            file: None,
        }
    }

    /// Nothing is overwritten unless the user says so.
    pub(super) fn check_free(&self, force: bool) -> Result<(), Failure> {
        let there = |path: &Path, advice: &str| {
            Err(Failure::new(format!("{} is there", path.display()))
                .advice(advice)
                .exit(Exit::Usage))
        };
        if force {
            return Ok(());
        }
        if self.path.exists() {
            return there(&self.path, "name another file, or replace it: --force");
        }
        if self.partial.exists() {
            let advice = "go on with it: --resume; or begin anew: --force";
            return there(&self.partial, advice);
        }
        Ok(())
    }

    pub(super) fn begin(mut self, plan: &Plan) -> Result<Self, Failure> {
        let cannot = |path: &Path, error: &io::Error| {
            Failure::because(format!("{} cannot be written", path.display()), error)
        };
        let text = plan.to_json()?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        // What was recorded is for its owner's eyes.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let write_plan = || {
            let mut file = options.open(&self.plan)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write_plan().map_err(|error| cannot(&self.plan, &error))?;
        let file = options.open(&self.partial);
        self.file = Some(file.map_err(|error| cannot(&self.partial, &error))?);
        Ok(self)
    }

    pub(super) fn plan(&self) -> Result<Plan, Failure> {
        let text = fs::read_to_string(&self.plan).map_err(|error| {
            let what = format!("no interrupted export of {} is there", self.path.display());
            let failure = Failure::because(what, &error);
            match error.kind() {
                io::ErrorKind::NotFound => failure.exit(Exit::NotFound),
                _ => failure,
            }
        })?;
        Plan::from_json(&text)
    }

    /// Cuts the part to what of it is whole, and goes on behind that.
    pub(super) async fn go_on(mut self, request: &ExportRequest) -> Result<(Self, Kept), Failure> {
        let cannot = |path: &Path, error: &(dyn std::error::Error + 'static)| {
            Failure::because(format!("{} cannot be resumed", path.display()), error)
                .advice("begin anew: --force")
        };
        let failed = |error: io::Error| cannot(&self.partial, &error);
        let mut options = OpenOptions::new();
        options.read(true).append(true);
        let file = options.open(&self.partial).map_err(failed)?;
        let input = file.try_clone().map_err(failed)?;
        let request = request.clone();
        let kept = tokio::task::spawn_blocking(move || Kept::read(input, &request)).await;
        let kept = kept
            .map_err(|error| cannot(&self.partial, &error))?
            .map_err(|error| cannot(&self.partial, &error))?;
        file.set_len(kept.n_file_bytes()).map_err(failed)?;
        self.file = Some(file);
        Ok((self, kept))
    }

    fn write(&mut self, chunk: &[u8]) -> Result<(), Failure> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        file.write_all(chunk).map_err(|error| {
            let what = format!("{} cannot be written", self.partial.display());
            Failure::because(what, &error).advice(format!(
                "audit export --resume --to {} goes on with it",
                self.path.display()
            ))
        })
    }

    /// Gives the whole file its name.
    fn end(self) -> Result<(), Failure> {
        let cannot = |error: io::Error| {
            let what = format!("{} cannot get its name", self.partial.display());
            Failure::because(what, &error)
        };
        if let Some(file) = &self.file {
            file.sync_all().map_err(cannot)?;
        }
        fs::rename(&self.partial, &self.path).map_err(cannot)?;
        sync_folder(&self.path).map_err(cannot)?;
        fs::remove_file(&self.plan).map_err(cannot)
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
