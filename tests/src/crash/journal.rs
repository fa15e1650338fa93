use std::fmt;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::str::FromStr;

use audit_core::event::{EventId, Outcome};
use audit_core::logger::Recorded;

/// What a victim says of its calls: a line each, written before it goes on. A pipe keeps what was
/// written to it, however the writer ends.
#[derive(Debug)]
pub(super) struct Journal(File);

/// One line of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A call may run.
    Begun { id: EventId, is_announced: bool },
    /// A caller was told that its record is not kept, or a call was not let in.
    Failed,
    /// The loggers are open.
    Opened,
    /// A caller was told what became of its record.
    Told {
        id: EventId,
        answer: Answer,
        outcome: Outcome,
    },
}

/// What a caller was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It waits in memory: nothing is promised.
    Queued,
    /// It is on the disk.
    Spooled,
    /// The store has it.
    Stored,
}

impl Journal {
    /// On the standard output of this process, which nothing else is written to.
    pub(super) fn open() -> io::Result<Self> {
        let output = io::stdout().as_fd().try_clone_to_owned()?;
        Ok(Self(File::from(output)))
    }

    /// Writes a line with one system call, so that a kill leaves it whole or not at all.
    pub(super) fn write(&self, line: Line) -> io::Result<()> {
        (&self.0).write_all(format!("{line}\n").as_bytes())
    }
}

impl Answer {
    /// `None`: the record was shed.
    pub(super) fn of(recorded: Recorded) -> Option<Self> {
        match recorded {
            Recorded::AlreadyStored | Recorded::Stored => Some(Self::Stored),
            Recorded::Queued => Some(Self::Queued),
            Recorded::Spooled => Some(Self::Spooled),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Spooled => "spooled",
            Self::Stored => "stored",
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begun {
                id,
                is_announced: true,
            } => write!(f, "announced {id}"),
            Self::Begun { id, .. } => write!(f, "begun {id}"),
            Self::Failed => f.write_str("failed"),
            Self::Opened => f.write_str("opened"),
            Self::Told {
                id,
                answer,
                outcome,
            } => write!(f, "told {id} {} {outcome}", answer.as_str()),
        }
    }
}

impl FromStr for Line {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text).ok_or_else(|| format!("the victim wrote a line that means nothing: {text:?}"))
    }
}

fn parse(text: &str) -> Option<Line> {
    let mut words = text.split(' ');
    let word = words.next()?;
    let mut id = || words.next()?.parse().ok();
    let line = match word {
        "announced" | "begun" => Line::Begun {
            id: id()?,
            is_announced: word == "announced",
        },
        "failed" => Line::Failed,
        "opened" => Line::Opened,
        "told" => Line::Told {
            id: id()?,
            answer: match words.next()? {
                "queued" => Answer::Queued,
                "spooled" => Answer::Spooled,
                "stored" => Answer::Stored,
                _ => return None,
            },
            outcome: words.next()?.parse().ok()?,
        },
        _ => return None,
    };
    words.next().is_none().then_some(line)
}

#[cfg(test)]
mod tests {
    use audit_core::event::Timestamp;

    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let id = EventId::new(Timestamp::MIN, 7);
        for line in [
            Line::Begun {
                id,
                is_announced: true,
            },
            Line::Begun {
                id,
                is_announced: false,
            },
            Line::Failed,
            Line::Opened,
            Line::Told {
                id,
                answer: Answer::Spooled,
                outcome: Outcome::ToolError,
            },
        ] {
            assert_eq!(line.to_string().parse(), Ok(line));
        }
    }

    #[test]
    fn half_a_line_means_nothing() {
        let told = format!("told {}", EventId::new(Timestamp::MIN, 7));
        for text in ["", "tol", &told, &told[..20], "opened twice"] {
            text.parse::<Line>().unwrap_err();
        }
    }
}
