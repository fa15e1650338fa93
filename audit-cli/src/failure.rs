use std::fmt;
use std::process::ExitCode;

/// Why a command did not do what it was asked for, as a person reads it: what failed, why, and what
/// to do.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    causes: Vec<String>,
    advice: Option<String>,
    exit: Exit,
}

/// How the program ends: documented in the help of `audit`, and stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Something failed.
    Failed = 1,
    /// The command line cannot be understood; clap ends with the same code.
    Usage = 2,
    /// What was asked for is not there.
    NotFound = 3,
    /// A part was done, and the rest was not.
    Incomplete = 5,
    /// The store or the system does not permit it.
    NotPermitted = 6,
    /// The server of a proxy cannot be started; shells say it so.
    CannotStart = 127,
}

impl Failure {
    /// Something failed.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            causes: Vec::new(),
            advice: None,
            exit: Exit::Failed,
        }
    }

    /// Something failed, and this is why.
    pub(crate) fn because(
        what: impl Into<String>,
        cause: &(dyn std::error::Error + 'static),
    ) -> Self {
        let mut causes = Vec::new();
        let mut exit = Exit::Failed;
        let mut next = Some(cause);
        while let Some(cause) = next {
            causes.push(cause.to_string());
            if is_about_rights(cause) {
                exit = Exit::NotPermitted;
            }
            next = cause.source();
        }
        // Some sources say again what their parents said.
        causes.dedup();
        Self {
            causes,
            exit,
            ..Self::new(what)
        }
    }

    /// What the user can do about it.
    pub(crate) fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// How the program ends.
    pub(crate) fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        self.exit.code()
    }
}

fn is_about_rights(cause: &(dyn std::error::Error + 'static)) -> bool {
    let io = cause.downcast_ref::<std::io::Error>();
    let is_denied = |error: &std::io::Error| error.kind() == std::io::ErrorKind::PermissionDenied;
    let store = cause.downcast_ref::<audit_core::Error>();
    io.is_some_and(is_denied) || store.is_some_and(audit_core::Error::is_not_permitted)
}

impl Exit {
    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        for cause in &self.causes {
            write!(f, ": {cause}")?;
        }
        match &self.advice {
            Some(advice) => write!(f, "\n  {advice}"),
            None => Ok(()),
        }
    }
}
