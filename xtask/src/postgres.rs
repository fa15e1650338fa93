//! One Postgres for a whole run of tests: nextest runs each test in a process of its own.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// A server that ends when this is dropped, and when this process ends, however it does: the other
/// process waits for the end of a pipe.
pub(crate) struct Postgres {
    keeper: Child,
    url: String,
    via: String,
}

impl Postgres {
    /// Runs `audit-test-postgres`, which was built along with the tests.
    pub(crate) fn start() -> Result<Self, String> {
        // Both are put into the same folder.
        let program = std::env::current_exe()
            .map_err(|error| format!("cannot find out where xtask itself is: {error}"))?
            .with_file_name("audit-test-postgres");
        let mut keeper = Command::new(&program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C is for the tests; the server has to be cleared away after them.
            .process_group(0)
            .spawn()
            .map_err(|error| format!("cannot run {}: {error}", program.display()))?;
        let mut line = String::new();
        if let Some(output) = keeper.stdout.take() {
            // Without a line it has said on stderr what is wrong.
            drop(BufReader::new(output).read_line(&mut line));
        }
        match (text_field(&line, "url"), text_field(&line, "via")) {
            (Some(url), Some(via)) => Ok(Self { keeper, url, via }),
            _ => {
                drop(keeper.wait());
                Err("there is no Postgres for the tests; the reason is above".to_owned())
            }
        }
    }

    /// What tells the tests.
    pub(crate) fn environment(&self) -> [(&str, &str); 2] {
        [
            ("AUDIT_TEST_DATABASE_URL", &self.url),
            ("AUDIT_TEST_POSTGRES_VIA", &self.via),
        ]
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // Should waiting fail there is nobody left to wait for.
        drop(self.keeper.wait());
    }
}

/// A field of a flat JSON object whose texts need no escapes, which spares a library.
fn text_field(line: &str, name: &str) -> Option<String> {
    let (_, rest) = line.split_once(&format!("\"{name}\":\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(value.to_owned())
}
