use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::FanOut;
use super::lane::Lane;
use super::meters::Meters;
use super::options::LaneOptions;
use super::rule::FanOutRule;
use super::shared::Shared;
use super::work;
use crate::error::{Error, ErrorKind};
use crate::runtime;
use crate::sink::AuditSink;

/// Builds a [`FanOut`].
#[must_use = "a builder does nothing until `build`"]
pub struct FanOutBuilder {
    rule: FanOutRule,
    name: String,
    sinks: Vec<Named>,
    options: LaneOptions,
    close_deadline: Duration,
}

struct Named {
    name: String,
    sink: Arc<dyn AuditSink>,
    options: Option<LaneOptions>,
}

impl FanOutBuilder {
    pub(super) fn new(rule: FanOutRule) -> Self {
        Self {
            rule,
            name: "audit".to_owned(),
            sinks: Vec::new(),
            options: LaneOptions::new(),
            close_deadline: Duration::from_secs(30),
        }
    }

    /// The name of the fan-out in metrics; `audit`, if nothing is said.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Adds a sink; the name is that of metrics, log lines and errors. The first one is the one
    /// that [`FanOutRule::Primary`] means.
    pub fn sink(self, name: impl Into<String>, sink: impl AuditSink) -> Self {
        self.add(name.into(), Arc::new(sink), None)
    }

    /// Adds a sink with a lane of bounds of its own.
    pub fn sink_with(
        self,
        name: impl Into<String>,
        sink: impl AuditSink,
        options: LaneOptions,
    ) -> Self {
        self.add(name.into(), Arc::new(sink), Some(options))
    }

    /// The bounds of every lane that was given none of its own; [`LaneOptions::new`], if nothing
    /// is said.
    pub fn lanes(mut self, options: LaneOptions) -> Self {
        self.options = options;
        self
    }

    /// How long one append to one sink may take, where the lane was given no bounds of its own: ten
    /// seconds, if nothing is said.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.options = self.options.deadline(deadline);
        self
    }

    /// How long the lanes may take to bring what they have to their sinks, when the fan-out is
    /// closed or dropped: 30 seconds, if nothing is said.
    pub fn close_deadline(mut self, deadline: Duration) -> Self {
        self.close_deadline = deadline;
        self
    }

    fn add(mut self, name: String, sink: Arc<dyn AuditSink>, options: Option<LaneOptions>) -> Self {
        self.sinks.push(Named {
            name,
            sink,
            options,
        });
        self
    }

    /// Begins the fan-out, with a task for each sink on the current runtime.
    ///
    /// # Errors
    /// There is no sink, a name is empty or stands twice, a bound is zero, or there is no tokio
    /// runtime with a timer.
    pub fn build(self) -> Result<FanOut, Error> {
        self.check()?;
        let no_runtime = "a fan-out needs a tokio runtime: build it inside one";
        let runtime = runtime::current(no_runtime)?;
        runtime::check_timer(&runtime)?;
        let Self {
            rule,
            name: fan_out,
            sinks,
            options,
            close_deadline,
        } = self;
        let lanes = sinks.into_iter().enumerate().map(|(place, named)| {
            let options = named.options.as_ref().unwrap_or(&options);
            let meters = Meters::new(&fan_out, &named.name);
            let keeps = rule.keeps(place);
            Lane::new(named.name, named.sink, keeps, options, meters)
        });
        let shared = Arc::new(Shared::new(rule, lanes.collect(), runtime.clone()));
        for place in 0..shared.lanes.len() {
            drop(runtime.spawn(work::run(Arc::clone(&shared), place)));
        }
        Ok(FanOut::new(shared, close_deadline))
    }

    fn check(&self) -> Result<(), Error> {
        let invalid = |text: String| Err(Error::new(ErrorKind::Invalid, text));
        if self.sinks.is_empty() {
            return invalid("a fan-out needs at least one sink".to_owned());
        }
        for (place, Named { name, options, .. }) in self.sinks.iter().enumerate() {
            if name.is_empty() {
                return invalid("a sink of a fan-out needs a name".to_owned());
            }
            if self.sinks[..place].iter().any(|other| other.name == *name) {
                return invalid(format!("two sinks of a fan-out have the name `{name}`"));
            }
            let options = options.as_ref().unwrap_or(&self.options);
            if options.events == 0 || options.bytes == 0 || options.deadline.is_zero() {
                let text = format!("a bound of the lane of `{name}` is zero: nothing would fit");
                return invalid(text);
            }
        }
        Ok(())
    }
}

impl fmt::Debug for FanOutBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.sinks.iter().map(|named| &named.name).collect();
        f.debug_struct("FanOutBuilder")
            .field("rule", &self.rule)
            .field("sinks", &names)
            .finish_non_exhaustive()
    }
}
