//! The server that a proxy starts, and that never outlives it.

use std::ffi::OsString;
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use super::closing::Closing;
use crate::failure::{Exit, Failure};

/// The subcommand under which this program stands in for the server while it is started.
pub(crate) const TIED: &str = "tied-child";

/// How long a server may take to end once its standard input has ended. Clients ask by a signal what
/// takes longer than two seconds, and then have two more.
const BY_ITSELF: Duration = Duration::from_millis(1_700);
/// How long once it, or this proxy, was asked by a signal.
const WHEN_ASKED: Duration = Duration::from_millis(400);

/// Why a server has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hurry {
    /// Its client has no more to say.
    None,
    /// The proxy was asked to end by a signal.
    Signal,
}

/// A server under way. Its standard error is that of the proxy.
pub(crate) struct Server {
    child: Child,
    name: String,
}

impl Server {
    /// Starts the server, tied to this process: the system ends it when this process ends, however
    /// that comes about.
    pub(crate) fn start(command: &[OsString]) -> Result<(Self, Closing, ChildStdout), Failure> {
        let name = command
            .first()
            .map(|program| program.to_string_lossy().into_owned())
            .unwrap_or_default();
        let failed = |error: &std::io::Error| {
            Failure::because(format!("the server {name} cannot be started"), error)
                .advice("behind -- stands the command that starts it, as you would type it")
        };
        let mut child = tied(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(&error))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Failure::new("the server has no standard input and output"));
        };
        Ok((Self { child, name }, Closing::new(stdin), stdout))
    }

    /// Waits until it ends by itself.
    pub(crate) async fn ended(&mut self) -> Result<ExitStatus, Failure> {
        self.child.wait().await.map_err(|error| {
            Failure::because(
                format!("the end of {} cannot be waited for", self.name),
                &error,
            )
        })
    }

    /// Sees to it that it ends, now that its input has: it is waited for; then it is asked, then it
    /// is killed.
    pub(crate) async fn end(&mut self, hurry: Hurry) -> Result<ExitStatus, Failure> {
        let patience = match hurry {
            Hurry::None => BY_ITSELF,
            Hurry::Signal => WHEN_ASKED,
        };
        if let Ok(ended) = timeout(patience, self.ended()).await {
            return ended;
        }
        self.ask_to_end();
        if let Ok(ended) = timeout(WHEN_ASKED, self.ended()).await {
            return ended;
        }
        tracing::warn!(server = %self.name, "the server did not end when it was asked, and is killed");
        // It may end just now, which is as well.
        drop(self.child.start_kill());
        self.ended().await
    }

    #[cfg(unix)]
    fn ask_to_end(&self) {
        use rustix::process::{Pid, Signal, kill_process};
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            // It was not waited for, so the number is still its own.
            let _ = kill_process(pid, Signal::TERM);
        }
    }

    #[cfg(not(unix))]
    fn ask_to_end(&self) {}
}

/// How the proxy ends when its server has.
pub(crate) fn exit_code(status: ExitStatus) -> ExitCode {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal = None;
    // As shells tell it.
    let code = status.code().or(signal.map(|signal| 128 + signal));
    let code = code.and_then(|code| u8::try_from(code).ok());
    code.map_or(Exit::Failed.code(), ExitCode::from)
}

/// A parent that is killed runs no code any more. On Linux the system can be told beforehand to kill
/// the child then, but only by the child itself: so this program starts in its place, says so, and
/// becomes the server.
#[cfg(target_os = "linux")]
fn tied(command: &[OsString]) -> Command {
    // The path of this program, also if its file was replaced meanwhile.
    let mut tied = Command::new("/proc/self/exe");
    tied.arg(TIED)
        .arg(std::process::id().to_string())
        .arg("--")
        .args(command);
    tied
}

#[cfg(not(target_os = "linux"))]
fn tied(command: &[OsString]) -> Command {
    let mut plain = Command::new(command.first().map_or("".as_ref(), OsString::as_os_str));
    plain.args(command.iter().skip(1));
    plain
}

/// See [`TIED`].
#[derive(clap::Args)]
pub(crate) struct TiedArgs {
    parent: u32,
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// Becomes the server; comes back only if that fails.
#[cfg(unix)]
pub(crate) fn become_server(args: &TiedArgs) -> Failure {
    use std::os::unix::process::CommandExt as _;

    let Some((program, arguments)) = args.command.split_first() else {
        return Failure::new("there is no server to start").exit(Exit::Usage);
    };
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, getppid, set_parent_process_death_signal};
        if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
            return Failure::because("the server cannot be tied to its proxy", &error);
        }
        let parent = getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
        if parent != Some(args.parent) {
            return Failure::new("the proxy ended before its server began");
        }
    }
    let error = std::process::Command::new(program).args(arguments).exec();
    let what = format!("the server {} cannot be started", program.to_string_lossy());
    Failure::because(what, &error)
        .advice("behind -- stands the command that starts it, as you would type it")
        .exit(Exit::CannotStart)
}

#[cfg(not(unix))]
pub(crate) fn become_server(_args: &TiedArgs) -> Failure {
    Failure::new("servers are started directly here").exit(Exit::Usage)
}
