use std::fmt;

use audit_core::event::Timestamp;
use chrono::TimeDelta;

use crate::partition::Partition;

/// How long events are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RetentionPolicy {
    days: u16,
}

impl RetentionPolicy {
    /// At least so many days of 24 hours: a partition goes when the youngest event that it can
    /// hold is older.
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

/// What a policy says about each partition; [`Display`](fmt::Display) shows it to an operator.
#[derive(Clone, Debug)]
#[must_use = "a plan removes nothing until it is applied"]
pub struct RetentionPlan {
    policy: RetentionPolicy,
    cutoff: Timestamp,
    partitions: Vec<PlannedPartition>,
}

/// A partition, and what is to become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedPartition {
    /// The partition.
    pub partition: Partition,
    /// What is to become of it.
    pub fate: Fate,
}

/// What is to become of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// Somebody else is detaching it, and says what becomes of it.
    Detaching,
    /// It goes.
    Drop,
    /// It is old enough to go, and holds of these names keep it.
    Held(Vec<String>),
    /// It stays: it may hold an event that is not old enough.
    TooYoung,
}

impl RetentionPlan {
    pub(super) fn new(policy: RetentionPolicy, now: Timestamp, partitions: Vec<Partition>) -> Self {
        let cutoff = policy.cutoff(now);
        let planned = |partition: Partition| {
            let fate = if partition.is_detaching && !partition.is_going {
                Fate::Detaching
            } else if partition.to > cutoff {
                Fate::TooYoung
            } else if partition.is_held() {
                Fate::Held(partition.held_by.clone())
            } else {
                Fate::Drop
            };
            PlannedPartition { partition, fate }
        };
        Self {
            policy,
            cutoff,
            partitions: partitions.into_iter().map(planned).collect(),
        }
    }

    /// The moment before which a partition must end in order to go.
    #[must_use]
    pub fn cutoff(&self) -> Timestamp {
        self.cutoff
    }

    /// Every partition, the oldest first.
    #[must_use]
    pub fn partitions(&self) -> &[PlannedPartition] {
        &self.partitions
    }

    /// The partitions that go.
    pub fn to_drop(&self) -> impl Iterator<Item = &Partition> {
        self.partitions
            .iter()
            .filter(|planned| planned.fate == Fate::Drop)
            .map(|planned| &planned.partition)
    }
}

impl fmt::Display for RetentionPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: what ended before {} may go",
            self.policy, self.cutoff
        )?;
        for planned in &self.partitions {
            writeln!(f, "{planned}")?;
        }
        let (mut n_partitions, mut n_events, mut n_bytes) = (0, 0, 0);
        for partition in self.to_drop() {
            n_partitions += 1;
            n_events += partition.n_events;
            n_bytes += partition.n_bytes;
        }
        write!(
            f,
            "{n_partitions} of {} partitions go, with about {n_events} events and {}",
            self.partitions.len(),
            Bytes(n_bytes)
        )
    }
}

impl fmt::Display for PlannedPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, fate } = self;
        let word = if *fate == Fate::Drop { "drop" } else { "keep" };
        write!(
            f,
            "{word}  {:<28}  {} to {}  about {} events, {}",
            partition.name,
            partition.from.to_datetime().date_naive(),
            partition.to.to_datetime().date_naive(),
            partition.n_events,
            Bytes(partition.n_bytes)
        )?;
        match fate {
            Fate::Detaching => f.write_str("  somebody else is detaching it"),
            Fate::Drop if partition.is_detaching => f.write_str("  (an interrupted removal)"),
            Fate::Drop => Ok(()),
            Fate::Held(names) => write!(f, "  held by {}", names.join(", ")),
            Fate::TooYoung => f.write_str("  too young"),
        }
    }
}

/// Bytes as people read them.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 4] = [
            (1 << 40, "TiB"),
            (1 << 30, "GiB"),
            (1 << 20, "MiB"),
            (1 << 10, "KiB"),
        ];
        for (size, unit) in UNITS {
            if self.0 >= size {
                let tenths = u128::from(self.0) * 10 / u128::from(size);
                return write!(f, "{}.{} {unit}", tenths / 10, tenths % 10);
            }
        }
        write!(f, "{} bytes", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_in_the_unit_that_fits() {
        let cases = [
            (0, "0 bytes"),
            (1_023, "1023 bytes"),
            (1_536, "1.5 KiB"),
            (u64::MAX, "16777215.9 TiB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(Bytes(bytes).to_string(), text);
        }
    }

    #[test]
    fn more_days_than_there_were_keep_everything() {
        let cutoff = RetentionPolicy::keep_days(u16::MAX).cutoff(Timestamp::MIN);
        assert_eq!(cutoff, Timestamp::MIN);
    }
}
