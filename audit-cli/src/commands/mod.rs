//! One file a subcommand.

pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod dead_letters;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod events;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod man;
pub(crate) mod migrate;
pub(crate) mod proxy;
pub(crate) mod redact;
pub(crate) mod retention;
pub(crate) mod serve;
pub(crate) mod show;
pub(crate) mod spool;
pub(crate) mod stats;
pub(crate) mod token;

use audit_core::Clock as _;
use audit_core::SystemClock;
use audit_core::event::Timestamp;
use audit_core::reader::{Condition, Filter, Span, moment};

use crate::failure::{Exit, Failure};

/// Which events.
#[derive(clap::Args)]
pub(crate) struct FilterArgs {
    /// Which events: tool:delete_* outcome:denied,rate_limited status:>=500 "free text" (about one
    /// field any term is enough, about several all are needed; -role:admin excludes, behind a --)
    #[arg(value_name = "FILTER")]
    filter: Vec<String>,
    /// Only calls that began then or later: 15m, 24h, today, yesterday, 2026-03-04,
    /// 2026-03-04T05:06:07Z (without a zone: UTC)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only calls that began then or before
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

impl FilterArgs {
    /// What the user asked for, in his own words.
    pub(crate) fn words(&self) -> String {
        let mut words = self.filter.clone();
        for (name, time) in [("--since", &self.since), ("--until", &self.until)] {
            if let Some(time) = time {
                words.push(format!("{name} {time}"));
            }
        }
        words.join(" ")
    }

    /// The filter, all of whose parts have to hold; `since` where the user names no beginning.
    pub(crate) fn read(&self, since: Option<&str>) -> Result<Filter, Failure> {
        let now = now();
        let text = self.filter.join(" ");
        let filter = Filter::parse(&text, now).map_err(|error| {
            // The place, as compilers show it.
            let marker = format!("{:>column$}", '^', column = error.column());
            Failure::because("the filter cannot be read", &error)
                .advice(format!("{text}\n  {marker}"))
                .exit(Exit::Usage)
        })?;
        let since = bound("--since", self.since.as_deref().or(since), now)?;
        let until = bound("--until", self.until.as_deref(), now)?;
        if since.is_none() && until.is_none() {
            return Ok(filter);
        }
        let time = Condition::Time(Span {
            min: since,
            max: until,
        });
        Ok(filter.intersect(Filter::all().with(time)))
    }
}

fn bound(name: &str, text: Option<&str>, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
    let read = |text| {
        moment(text, now).map_err(|error| {
            Failure::because(format!("{name} cannot be read"), &error).exit(Exit::Usage)
        })
    };
    text.map(read).transpose()
}

fn now() -> Timestamp {
    SystemClock::new().now()
}
