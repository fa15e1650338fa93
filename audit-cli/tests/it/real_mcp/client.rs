//! One run of a client, and what it saw.

use std::cmp::{max, min};
use std::fmt;
use std::process::Stdio;

use serde_json::Value;

use super::installation::script;
use super::record::Call;
use super::row::Row;

/// What `client.py` printed: a line for each thing that was sent or received.
pub(crate) struct Seen {
    lines: Vec<String>,
    /// What the store of a proxy has to hold then.
    pub(crate) expected: Vec<Call>,
}

impl Seen {
    /// Plays the scenario; `way` is the URL, or what stands before the server's command.
    pub(crate) fn play(row: &Row, way: &[String], environment: &[(&str, &str)]) -> Self {
        let output = script("client.py")
            .args([row.scenario, row.server, row.era, row.way])
            .args(way)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "the client failed\nit saw: {printed}\nit says: {errors}"
        );
        let mut lines: Vec<String> = printed.lines().map(ToOwned::to_owned).collect();
        let last: Value = serde_json::from_str(&lines.pop().unwrap()).unwrap();
        let expected = last["expected"].as_array().unwrap();
        Self {
            lines,
            expected: expected.iter().map(Call::from_json).collect(),
        }
    }

    /// Fails with the first difference.
    pub(crate) fn assert_same(&self, other: &Self) {
        let n_lines = max(self.lines.len(), other.lines.len());
        let line = |seen: &Self, n| seen.lines.get(n).cloned().unwrap_or_default();
        for n in 0..n_lines {
            let (direct, proxied) = (line(self, n), line(other, n));
            assert!(
                direct == proxied,
                "the client sees something else through the proxy{}",
                Difference(&direct, &proxied)
            );
        }
    }
}

/// Two lines that are long and nearly the same.
struct Difference<'a>(&'a str, &'a str);

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = self.0.bytes().zip(self.1.bytes());
        // The lines are ASCII.
        let same = pairs.take_while(|(one, other)| one == other).count();
        for (name, line) in [("without", self.0), ("through", self.1)] {
            let from = same.saturating_sub(100);
            let until = min(line.len(), same + 200);
            write!(
                f,
                "\n{name}, at {same}: {}",
                line.get(from..until).unwrap_or_default()
            )?;
        }
        write!(f, "\nwithout: {}\nthrough: {}", self.0, self.1)
    }
}
