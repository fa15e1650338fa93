use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{fmt, fs, thread};

use tokio::sync::watch;
use tokio::time::timeout;

use super::PostgresError;
use super::account::Account;

const PATIENCE: Duration = Duration::from_secs(60);

/// A shell that runs a server, and ends it when this process ends, also by `kill -9`.
///
/// A pipe binds the two: the system closes it however this process ends. What is run cannot be
/// left behind, and neither can its folder.
pub(super) struct Supervisor {
    folder: PathBuf,
    shell: Child,
    words: Mutex<Option<ChildStdin>>,
    state: watch::Receiver<State>,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct State {
    n_started: u32,
    n_gone: u32,
    pid: u32,
}

impl Supervisor {
    /// Takes over a folder, in which it keeps the output of a program that is still to be started.
    /// `last_signal` is what ends the program along with this process.
    pub(super) fn new(
        account: Account,
        folder: &Path,
        last_signal: &str,
        program: &Path,
        arguments: &[String],
    ) -> Result<Self, PostgresError> {
        let mut shell = account
            .command("/bin/sh")
            .args(["-c", include_str!("supervisor.sh"), "supervisor"])
            .arg(folder)
            .arg(last_signal)
            .arg(program)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C, and a runner of tests that kills a group, leave it to do its work.
            .process_group(0)
            .spawn()
            .map_err(PostgresError::because("cannot start /bin/sh"))?;
        let words = shell.stdin.take();
        let (sender, state) = watch::channel(State::default());
        if let Some(answers) = shell.stdout.take() {
            // A thread, and not a task: the runtime of the test that came first ends with it.
            thread::spawn(move || listen(answers, &sender));
        }
        Ok(Self {
            folder: folder.to_owned(),
            shell,
            words: Mutex::new(words),
            state,
        })
    }

    /// Starts the program, which must not be running, and answers its pid.
    pub(super) async fn start(&self) -> Result<u32, PostgresError> {
        let n_started = self.state.borrow().n_started;
        self.say("start")?;
        let state = self
            .wait_for("start", |state| state.n_started > n_started)
            .await?;
        Ok(state.pid)
    }

    /// Sends the program a signal, by its name without `SIG`.
    pub(super) fn signal(&self, name: &str) -> Result<(), PostgresError> {
        self.say(name)
    }

    /// The program's pid while it runs.
    pub(super) fn pid(&self) -> Option<u32> {
        let state = *self.state.borrow();
        (state.n_started > state.n_gone).then_some(state.pid)
    }

    /// Waits until the program, and all that it started, have ended.
    pub(super) async fn gone(&self) -> Result<(), PostgresError> {
        self.wait_for("end", |state| state.n_gone == state.n_started)
            .await?;
        Ok(())
    }

    /// What the program has printed so far, in all its runs.
    pub(super) fn log(&self) -> String {
        let bytes = fs::read(self.folder.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn say(&self, word: &str) -> Result<(), PostgresError> {
        let mut words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(words) = words.as_mut() else {
            return Err(PostgresError::new("the supervisor was let go"));
        };
        writeln!(words, "{word}").map_err(PostgresError::because(
            "the supervisor of a server has ended",
        ))
    }

    async fn wait_for(
        &self,
        what: &str,
        is_so: impl FnMut(&State) -> bool,
    ) -> Result<State, PostgresError> {
        let mut state = self.state.clone();
        let found = timeout(PATIENCE, state.wait_for(is_so)).await;
        let state = found
            .map_err(PostgresError::because(format!(
                "a server did not {what} within {PATIENCE:?}"
            )))?
            .map_err(PostgresError::because(
                "the supervisor of a server has ended",
            ))?;
        Ok(*state)
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor")
            .field("folder", &self.folder)
            .field("state", &*self.state.borrow())
            .finish_non_exhaustive()
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        let words = self
            .words
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // This end closed, the shell ends the program and removes the folder.
        drop(words);
        // Should waiting fail there is nobody left to wait for.
        drop(self.shell.wait());
    }
}

fn listen(answers: ChildStdout, state: &watch::Sender<State>) {
    for answer in BufReader::new(answers).lines().map_while(Result::ok) {
        let mut fields = answer.split(' ');
        let word = fields.next();
        let mut number = || fields.next()?.parse().ok();
        match (word, number(), number()) {
            (Some("started"), Some(n_started), Some(pid)) => state.send_modify(|state| {
                state.n_started = n_started;
                state.pid = pid;
            }),
            (Some("gone"), Some(n_gone), None) => state.send_modify(|state| state.n_gone = n_gone),
            _ => {}
        }
    }
}
