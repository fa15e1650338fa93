use std::io::{self, IsTerminal as _};
use std::sync::OnceLock;

use audit_core::event::Outcome;
use clap::ValueEnum;

/// Whether results have colors.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Paint {
    is_on: bool,
}

/// Whether the user wants colors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// Always, into files and pipes too
    Always,
    /// On a terminal that can, unless NO_COLOR is set
    #[default]
    Auto,
    /// Never
    Never,
}

/// Said once, at the beginning of the process.
static CHOICE: OnceLock<ColorChoice> = OnceLock::new();

impl ColorChoice {
    /// From now on this holds; what was chosen first stays.
    pub(crate) fn choose(self) {
        // There is one command line, so nobody chooses twice.
        let _ = CHOICE.set(self);
    }
}

impl Paint {
    /// As the user wants it, or else on a terminal that can (<https://no-color.org>).
    pub(crate) fn fitting() -> Self {
        match CHOICE.get().copied().unwrap_or_default() {
            ColorChoice::Always => Self { is_on: true },
            ColorChoice::Auto => Self::of_terminal(),
            ColorChoice::Never => Self { is_on: false },
        }
    }

    fn of_terminal() -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            is_on: io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb,
        }
    }

    /// Whether there are colors.
    pub(crate) fn is_on(self) -> bool {
        self.is_on
    }

    /// A heading.
    pub(crate) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// What matters less.
    pub(crate) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    /// What is as it should be.
    pub(crate) fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    /// What somebody should look at.
    pub(crate) fn bad(self, text: &str) -> String {
        self.with("31", text)
    }

    /// What was refused.
    pub(crate) fn refused(self, text: &str) -> String {
        self.with("33", text)
    }

    /// An outcome in its color. The word stands there too: color alone says nothing.
    pub(crate) fn outcome(self, outcome: Outcome) -> String {
        let word = outcome.as_str();
        match outcome {
            Outcome::Ok => self.good(word),
            refusal if refusal.is_refusal() => self.refused(word),
            _ => self.bad(word),
        }
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.is_on {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}
