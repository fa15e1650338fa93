use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::store::{Ran, audit, ran};

/// A folder with a store and tokens, and `audit serve` on it until this is dropped.
pub(crate) struct Serve {
    folder: TempDir,
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
        Self {
            folder: tempfile::tempdir().unwrap(),
            running: None,
        }
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
        let (_, address) = line
            .trim()
            .rsplit_once("://")
            .expect("it says where it listens");
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
        let store = format!("sqlite:{}", self.folder.path().join("audit.db").display());
        command
            .args(arguments)
            .env("AUDIT_STORE", store)
            .env("AUDIT_TOKENS", self.tokens())
            .stdin(Stdio::null());
        command
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
