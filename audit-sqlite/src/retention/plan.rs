use std::fmt;

use audit_core::event::{EventId, Timestamp};
use chrono::TimeDelta;

use crate::hold::Hold;

/// How long events are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RetentionPolicy {
    days: u16,
}

impl RetentionPolicy {
    /// At least so many days of 24 hours: an event goes when its call began before.
    #[must_use]
    pub const fn keep_days(days: u16) -> Self {
        Self { days }
    }

    fn cutoff(self, now: Timestamp) -> Timestamp {
        let age = TimeDelta::days(i64::from(self.days));
        Timestamp::saturating(now.to_datetime() - age)
    }
}

impl fmt::Display for RetentionPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keep at least {} days", self.days)
    }
}

/// What a policy says about each stretch of time that has events; [`Display`](fmt::Display) shows
/// it to an operator.
#[derive(Clone, Debug)]
#[must_use = "a plan removes nothing until it is applied"]
pub struct RetentionPlan {
    policy: RetentionPolicy,
    cutoff: Timestamp,
    stretches: Vec<PlannedStretch>,
}

/// A stretch of time, and what is to become of its events.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedStretch {
    /// Where it begins.
    pub from: Timestamp,
    /// Where it ends; not in it, unless it is the last moment of all.
    pub to: Timestamp,
    /// How many events it has, counted by whole milliseconds.
    pub n_events: u64,
    /// What is to become of them.
    pub fate: Fate,
}

/// What is to become of the events of a stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// They go.
    Delete,
    /// They are old enough to go, and holds of these names keep them.
    Held(Vec<String>),
    /// They stay: they are not old enough.
    TooYoung,
}

impl RetentionPlan {
    /// The stretches between the oldest event and now, not counted yet.
    pub(super) fn new(
        policy: RetentionPolicy,
        now: Timestamp,
        oldest: Option<Timestamp>,
        holds: &[Hold],
    ) -> Self {
        let cutoff = policy.cutoff(now);
        let mut stretches = Vec::new();
        if let Some(oldest) = oldest {
            let ends = ends(oldest, cutoff, holds);
            let pairs = ends.iter().zip(ends.iter().skip(1));
            stretches.extend(pairs.map(|(from, to)| PlannedStretch::old(*from, *to, holds)));
            stretches.push(PlannedStretch {
                from: std::cmp::max(cutoff, oldest),
                to: Timestamp::MAX,
                n_events: 0,
                fate: Fate::TooYoung,
            });
        }
        Self {
            policy,
            cutoff,
            stretches,
        }
    }

    /// The moment before which a call must have begun for its event to go.
    #[must_use]
    pub fn cutoff(&self) -> Timestamp {
        self.cutoff
    }

    /// Every stretch that has events, the oldest first.
    #[must_use]
    pub fn stretches(&self) -> &[PlannedStretch] {
        &self.stretches
    }

    /// The stretches whose events go.
    pub fn to_delete(&self) -> impl Iterator<Item = &PlannedStretch> {
        let stretches = self.stretches.iter();
        stretches.filter(|stretch| stretch.fate == Fate::Delete)
    }

    pub(super) fn stretches_mut(&mut self) -> impl Iterator<Item = &mut PlannedStretch> {
        self.stretches.iter_mut()
    }

    pub(super) fn drop_empty(&mut self) {
        self.stretches.retain(|stretch| stretch.n_events > 0);
    }
}

/// Where something begins or ends between two moments, these included.
fn ends(from: Timestamp, to: Timestamp, holds: &[Hold]) -> Vec<Timestamp> {
    let of_holds = holds
        .iter()
        .flat_map(|hold| [hold.from, hold.to.map(behind)])
        .flatten();
    let mut ends: Vec<Timestamp> = of_holds.chain([from, to]).collect();
    ends.retain(|end| (from..=to).contains(end));
    ends.sort_unstable();
    ends.dedup();
    ends
}

/// The next microsecond.
fn behind(ts: Timestamp) -> Timestamp {
    Timestamp::from_micros(ts.as_micros() + 1).unwrap_or(Timestamp::MAX)
}

impl PlannedStretch {
    /// A stretch that ends before the cutoff, and within which no hold begins or ends.
    fn old(from: Timestamp, to: Timestamp, holds: &[Hold]) -> Self {
        let keeps = |hold: &&Hold| {
            hold.from.is_none_or(|it| it <= from) && hold.to.is_none_or(|it| from <= it)
        };
        let names: Vec<String> = holds
            .iter()
            .filter(keeps)
            .map(|hold| hold.name.clone())
            .collect();
        let fate = match names.is_empty() {
            true => Fate::Delete,
            false => Fate::Held(names),
        };
        Self {
            from,
            to,
            n_events: 0,
            fate,
        }
    }

    /// The first and the last id that an event of it can have.
    pub(super) fn ids(&self) -> (EventId, EventId) {
        let is_open = self.to == Timestamp::MAX;
        let last = self.to.as_micros() - i64::from(!is_open);
        let last = Timestamp::from_micros(last).unwrap_or(Timestamp::MIN);
        (
            EventId::first_of_millisecond(self.from),
            EventId::last_of_millisecond(last),
        )
    }
}

impl fmt::Display for RetentionPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { policy, cutoff, .. } = self;
        writeln!(f, "{policy}: what began before {cutoff} may go")?;
        let (mut n_going, mut n_events) = (0, 0);
        for stretch in &self.stretches {
            writeln!(f, "{stretch}")?;
            n_events += stretch.n_events;
            if stretch.fate == Fate::Delete {
                n_going += stretch.n_events;
            }
        }
        write!(f, "{n_going} of {n_events} events go")
    }
}

impl fmt::Display for PlannedStretch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.fate {
            Fate::Delete => "delete",
            _ => "keep  ",
        };
        write!(f, "{word}  {} to ", self.from)?;
        match self.fate {
            Fate::TooYoung => write!(f, "{:27}", "the end")?,
            _ => write!(f, "{}", self.to)?,
        }
        write!(f, "  {} events", self.n_events)?;
        match &self.fate {
            Fate::Delete => Ok(()),
            Fate::Held(names) => write!(f, "  held by {}", names.join(", ")),
            Fate::TooYoung => f.write_str("  too young"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_micros(day * 24 * 60 * 60 * 1_000_000).unwrap()
    }

    fn hold(name: &str, from: Option<i64>, to: Option<i64>) -> Hold {
        let mut hold = Hold::new(name, "a reason").unwrap();
        (hold.from, hold.to) = (from.map(at), to.map(at));
        hold
    }

    fn fates(holds: &[Hold]) -> Vec<(i64, i64, Fate)> {
        let policy = RetentionPolicy::keep_days(10);
        let plan = RetentionPlan::new(policy, at(110), Some(at(1)), holds);
        let days = |ts: Timestamp| ts.as_micros() / 86_400_000_000;
        plan.stretches()
            .iter()
            .map(|it| (days(it.from), days(it.to), it.fate.clone()))
            .filter(|(_, _, fate)| *fate != Fate::TooYoung)
            .collect()
    }

    #[test]
    fn holds_divide_what_is_old() {
        let held = |names: &[&str]| Fate::Held(names.iter().map(|it| (*it).to_owned()).collect());
        assert_eq!(fates(&[]), [(1, 100, Fate::Delete)]);
        assert_eq!(
            fates(&[hold("a", Some(20), Some(30)), hold("b", Some(25), None)]),
            [
                (1, 20, Fate::Delete),
                (20, 25, held(&["a"])),
                (25, 30, held(&["a", "b"])),
                (30, 100, held(&["b"])),
            ]
        );
        assert_eq!(fates(&[hold("a", None, None)]), [(1, 100, held(&["a"]))]);
        assert_eq!(
            fates(&[hold("a", Some(200), None), hold("b", None, Some(0))]),
            [(1, 100, Fate::Delete)]
        );
    }

    #[test]
    fn the_last_moment_of_a_hold_is_held() {
        let policy = RetentionPolicy::keep_days(10);
        let holds = [hold("a", Some(20), Some(30))];
        let plan = RetentionPlan::new(policy, at(110), Some(at(1)), &holds);
        assert_eq!(plan.stretches()[1].to, behind(at(30)));
    }

    #[test]
    fn more_days_than_there_were_keep_everything() {
        let policy = RetentionPolicy::keep_days(u16::MAX);
        let plan = RetentionPlan::new(policy, at(9), Some(at(1)), &[]);
        assert_eq!(plan.cutoff(), Timestamp::MIN);
        assert_eq!(plan.to_delete().count(), 0);
        assert_eq!(plan.stretches().len(), 1);
    }
}
