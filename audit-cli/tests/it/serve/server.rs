use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::store::{Ran, audit, ran};

/// A folder with a store and tokens, and `audit serve` on it until this is dropped.
pub(crate) struct Serve {
    folder: TempDir,
    store: String,
    running: Option<Running>,
}

struct Running {
    child: Child,
    errors: BufReader<std::process::ChildStderr>,
    address: SocketAddr,
}

impl Serve {
    /// Nothing runs yet.
    pub(crate) fn stopped() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = format!("sqlite:{}", folder.path().join("audit.db").display());
        Self {
            folder,
            store,
            running: None,
        }
    }

    /// The same, for another store than one in the folder.
    pub(crate) fn on(store: &str) -> Self {
        let mut serve = Self::stopped();
        store.clone_into(&mut serve.store);
        serve
    }

    /// Runs a command of `audit token`.
    pub(crate) fn token(&self, arguments: &[&str]) -> Ran {
        let mut command = audit(&["token"]);
        command.args(arguments).env("AUDIT_TOKENS", self.tokens());
        ran(command)
    }

    /// Makes a token, and gives it back.
    pub(crate) fn create(&self, name: &str, scopes: &str) -> String {
        let made = self.token(&["create", name, "--scope", scopes]);
        assert_eq!(made.code, 0, "{made:?}");
        made.out.trim().to_owned()
    }

    /// Runs `audit serve` to its end.
    pub(crate) fn refused(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments))
    }

    /// Starts the server, and waits until it listens.
    pub(crate) fn start(&mut self, arguments: &[&str]) -> SocketAddr {
        let mut command = self.command(arguments);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        errors.read_line(&mut line).unwrap();
        let Some((_, address)) = line.trim().rsplit_once("://") else {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it does not say where it listens: {line}");
        };
        let address = address.parse().unwrap();
        self.running = Some(Running {
            child,
            errors,
            address,
        });
        address
    }

    /// The answer to one request, head and body.
    pub(crate) fn ask(&self, path: &str, token: &str) -> String {
        use std::io::{Read as _, Write as _};
        let address = self.running.as_ref().unwrap().address;
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Begins to listen to what is committed from now on.
    pub(crate) fn listen(&self, token: &str) -> Live {
        use std::io::Write as _;
        let address = self.running.as_ref().unwrap().address;
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "GET /api/v1/events/stream HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\r\n"
        )
        .unwrap();
        Live(BufReader::new(stream))
    }

    /// Asks the server to end, and gives back its exit code and what it said meanwhile.
    pub(crate) fn end(&mut self) -> (Option<i32>, String) {
        use std::io::Read as _;
        let mut running = self.running.take().unwrap();
        let pid = Pid::from_child(&running.child);
        kill_process(pid, Signal::TERM).unwrap();
        let mut said = String::new();
        running.errors.read_to_string(&mut said).unwrap();
        (running.child.wait().unwrap().code(), said)
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    fn tokens(&self) -> std::path::PathBuf {
        self.folder.path().join("tokens.json")
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = audit(&["serve", "--listen", "127.0.0.1:0"]);
        command
            .args(arguments)
            .env("AUDIT_STORE", &self.store)
            .env("AUDIT_TOKENS", self.tokens())
            .stdin(Stdio::null());
        command
    }
}

/// How long something may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A live stream.
pub(crate) struct Live(BufReader<TcpStream>);

impl Live {
    /// Reads until a line holds this.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let begun = Instant::now();
        let mut line = String::new();
        while !line.contains(text) {
            assert!(begun.elapsed() < PATIENCE, "nothing says {text}");
            line.clear();
            let n_bytes = self.0.read_line(&mut line).unwrap();
            assert!(n_bytes > 0, "the stream ended");
        }
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        if let Some(running) = &mut self.running {
            running.child.kill().unwrap();
            running.child.wait().unwrap();
        }
    }
}
