use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use audit_export::{Progress, Totals};

use crate::output;

/// Tells on standard error how far an export is: on a terminal in one line that changes, else now and
/// then.
pub(super) struct Meter {
    began: Instant,
    shown: Instant,
    /// A resumed export has a part of the way behind it.
    from: Progress,
    is_terminal: bool,
}

impl Meter {
    pub(super) fn new(progress: &Progress) -> Self {
        let now = Instant::now();
        Self {
            began: now,
            shown: now,
            from: *progress,
            is_terminal: io::stderr().is_terminal(),
        }
    }

    pub(super) fn show(&mut self, progress: &Progress) {
        let pause = match self.is_terminal {
            true => Duration::from_millis(200),
            false => Duration::from_secs(10),
        };
        if self.shown.elapsed() < pause {
            return;
        }
        self.shown = Instant::now();
        let line = line(&self.from, progress, self.began.elapsed());
        match self.is_terminal {
            // What stood there before may have been longer.
            true => draw(&format!("{CLEAR}{line}")),
            false => output::tell(format_args!("{line}")),
        }
    }

    pub(super) fn end(self, progress: &Progress, totals: &Totals) {
        let rate = rate(&self.from, progress, self.began.elapsed());
        drop(self);
        output::tell(format_args!(
            "{} events, {}, {rate:.0} a second, SHA-256 {}",
            totals.n_rows,
            bytes(progress.n_bytes),
            totals.sha256_hex()
        ));
    }
}

impl Drop for Meter {
    /// What is told next stands in a line of its own.
    fn drop(&mut self) {
        if self.is_terminal {
            draw(CLEAR);
        }
    }
}

const CLEAR: &str = "\r\u{1b}[K";

fn draw(text: &str) {
    // An export goes on where nobody watches any more.
    drop(io::stderr().lock().write_all(text.as_bytes()));
}

fn line(from: &Progress, at: &Progress, took: Duration) -> String {
    let rate = rate(from, at, took);
    let mut line = format!(
        "{} events, {}, {rate:.0} a second",
        at.n_rows,
        bytes(at.n_bytes)
    );
    if let Some(left) = time_left(from, at, took) {
        line.push_str(&format!(", about {} left", in_words(left)));
    }
    line
}

fn rate(from: &Progress, at: &Progress, took: Duration) -> f64 {
    let n = u32::try_from(at.n_rows - from.n_rows).unwrap_or(u32::MAX);
    f64::from(n) / took.as_secs_f64().max(0.001)
}

/// As if what is left went as what is done.
fn time_left(from: &Progress, at: &Progress, took: Duration) -> Option<Duration> {
    let done = at.fraction? - from.fraction.unwrap_or(0.0);
    let left = took.as_secs_f64() * (1.0 - at.fraction?) / done;
    Duration::try_from_secs_f64(left).ok()
}

fn in_words(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{} s", seconds + 1),
        60..3_600 => format!("{} min", seconds / 60 + 1),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

fn bytes(n: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    for (size, unit) in UNITS {
        if n >= size {
            return format!("{}.{} {unit}", n / size, n % size * 10 / size);
        }
    }
    format!("{n} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(n_rows: u64, fraction: Option<f64>) -> Progress {
        let mut progress = Progress::default();
        progress.n_rows = n_rows;
        progress.n_bytes = n_rows * 1_536;
        progress.fraction = fraction;
        progress
    }

    #[test]
    fn what_is_left_is_judged_by_what_is_done() {
        let second = Duration::from_secs(1);
        let told = line(&at(0, None), &at(1_000, Some(0.25)), 2 * second);
        assert_eq!(told, "1000 events, 1.4 MiB, 500 a second, about 7 s left");
        let resumed = line(&at(1_000, Some(0.5)), &at(1_100, Some(0.75)), 60 * second);
        assert_eq!(
            resumed,
            "1100 events, 1.6 MiB, 2 a second, about 2 min left"
        );
        let nothing = line(&at(0, None), &at(0, None), Duration::ZERO);
        assert_eq!(nothing, "0 events, 0 bytes, 0 a second");
    }
}
