//! What runs beside a client on HTTP: the server, and the proxy before it.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::{self, JoinHandle};

use rustix::process::{Pid, Signal, kill_process};

use super::installation::script;
use crate::store::audit;

/// A server that listens, until this is dropped: it ends with its input.
pub(crate) struct Server {
    child: Child,
    input: Option<ChildStdin>,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start(name: &str, environment: &[(&str, &str)]) -> Self {
        let mut child = script("serve.py")
            .arg(name)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut url).unwrap();
        assert!(url.starts_with("http://"), "{name} does not listen");
        Self {
            input: child.stdin.take(),
            child,
            url: url.trim().to_owned(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        self.child.wait().unwrap();
    }
}

/// `audit proxy --listen`, before a server.
pub(crate) struct Proxy {
    child: Child,
    errors: JoinHandle<String>,
    pub(crate) url: String,
}

impl Proxy {
    pub(crate) fn start(store: &str, upstream: &str) -> Self {
        let listen = ["proxy", "--store", store, "--listen", "127.0.0.1:0"];
        let mut command = audit(&listen);
        command
            .args(["--upstream", upstream])
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let address = loop {
            let begun = said.len();
            let read = errors.read_line(&mut said).unwrap();
            assert!(read > 0, "the proxy does not listen: {said}");
            if let Some((_, rest)) = said[begun..].split_once("listening on ") {
                let (address, _) = rest.split_once(',').unwrap();
                break address.to_owned();
            }
        };
        let path = upstream.rsplit_once('/').unwrap().1;
        Self {
            child,
            // A pipe that nobody reads would stop it once the pipe is full.
            errors: thread::spawn(move || {
                errors.read_to_string(&mut said).unwrap();
                said
            }),
            url: format!("{address}/{path}"),
        }
    }

    /// Asks it to end, as a user would, and waits until all is stored.
    pub(crate) fn stop(mut self) {
        let pid = i32::try_from(self.child.id()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        let errors = self.errors.join().unwrap();
        assert!(status.success(), "the proxy ended with {status}: {errors}");
    }
}

/// The words that stand before the command of a server on stdio.
pub(crate) fn proxy_prefix(store: &str) -> Vec<String> {
    let command = audit(&["proxy", "--store", store, "--"]);
    words(&command)
}

fn words(command: &Command) -> Vec<String> {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_str().unwrap().to_owned())
        .collect()
}
