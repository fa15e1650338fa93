use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use audit_core::event::{EventId, Outcome, Seq};
use audit_core::reader::SeqGap;

use super::record::Record;
use super::stored::Stored;

/// Whether the promises held.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Verdict {
    /// A caller was told that they are kept, and they are not there.
    pub lost: Vec<EventId>,
    /// A caller was told that they are in the store, and they were not right after the kill.
    pub late: Vec<EventId>,
    /// They are there more than once, or another event has the same number.
    pub doubled: Vec<EventId>,
    /// They are there with another outcome than the one that a caller was told is kept.
    pub changed: Vec<EventId>,
    /// They were announced, and nothing tells what became of them.
    pub forgotten: Vec<EventId>,
    /// They are interrupted, and were never announced or have ended.
    pub wrongly_interrupted: Vec<EventId>,
    /// Writers whose missing numbers are others than the reader says.
    pub wrong_gaps: Vec<String>,
    /// What was refused for good.
    pub n_dead_letters: usize,
    /// The numbers that are missing, by writer.
    pub gaps: BTreeMap<String, Vec<SeqGap>>,
    counts: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    rounds: usize,
    kills: usize,
    begun: usize,
    ok: usize,
    failed: usize,
    stored: usize,
    writers: usize,
    missing_numbers: u64,
    announced: usize,
    interrupted: usize,
}

impl Verdict {
    /// Compares what callers learned with what is stored.
    #[must_use]
    pub fn of(record: &Record, stored: &Stored) -> Self {
        let mut verdict = Self {
            late: record.late.clone(),
            n_dead_letters: stored.n_dead_letters,
            gaps: stored.gaps.clone(),
            ..Self::default()
        };
        let outcomes = verdict.look_for_doubles(stored);
        verdict.compare_calls(record, &outcomes);
        verdict.compare_gaps(stored);
        verdict.counts = Counts {
            rounds: record.n_rounds,
            kills: record.n_kills,
            begun: record.calls.len(),
            ok: record.n_ok,
            failed: record.n_failed,
            stored: stored.events.len(),
            writers: stored.gaps.len(),
            missing_numbers: stored.gaps.values().flatten().map(SeqGap::n_missing).sum(),
            announced: record
                .calls
                .values()
                .filter(|call| call.is_announced)
                .count(),
            interrupted: outcomes.values().filter(|it| is_interrupted(**it)).count(),
        };
        verdict
    }

    /// Whether every promise held.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.lost.is_empty()
            && self.late.is_empty()
            && self.doubled.is_empty()
            && self.changed.is_empty()
            && self.forgotten.is_empty()
            && self.wrongly_interrupted.is_empty()
            && self.wrong_gaps.is_empty()
            && self.n_dead_letters == 0
    }

    /// How many answers promised something.
    #[must_use]
    pub fn n_ok(&self) -> usize {
        self.counts.ok
    }

    /// How many callers were told that nothing is kept, or were not let in.
    #[must_use]
    pub fn n_failed(&self) -> usize {
        self.counts.failed
    }

    /// How many victims were killed.
    #[must_use]
    pub fn n_kills(&self) -> usize {
        self.counts.kills
    }

    /// How many calls were announced.
    #[must_use]
    pub fn n_announced(&self) -> usize {
        self.counts.announced
    }

    /// How many calls are on record as interrupted.
    #[must_use]
    pub fn n_interrupted(&self) -> usize {
        self.counts.interrupted
    }

    fn look_for_doubles(&mut self, stored: &Stored) -> HashMap<EventId, Outcome> {
        let mut outcomes = HashMap::new();
        let mut numbers = BTreeSet::new();
        for event in &stored.events {
            let is_new_number = numbers.insert((&event.writer, event.seq));
            let is_new_id = outcomes.insert(event.id, event.outcome).is_none();
            if !(is_new_number && is_new_id) {
                self.doubled.push(event.id);
            }
        }
        outcomes
    }

    fn compare_calls(&mut self, record: &Record, outcomes: &HashMap<EventId, Outcome>) {
        for (id, call) in &record.calls {
            let stored = outcomes.get(id).copied();
            match (call.kept, stored) {
                (Some(_), None) => self.lost.push(*id),
                (Some(kept), Some(stored)) if is_interrupted(stored) && kept != stored => {
                    self.wrongly_interrupted.push(*id);
                }
                (Some(kept), Some(stored)) if kept != stored => self.changed.push(*id),
                (None, None) if call.is_announced => self.forgotten.push(*id),
                (None, Some(stored)) if is_interrupted(stored) && !call.is_announced => {
                    self.wrongly_interrupted.push(*id);
                }
                _ => {}
            }
        }
    }

    /// A number that no event has must be told by the reader, and no other.
    fn compare_gaps(&mut self, stored: &Stored) {
        let mut held: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
        for event in &stored.events {
            held.entry(&event.writer)
                .or_default()
                .insert(event.seq.get());
        }
        for (writer, held) in held {
            let last = held.last().copied().unwrap_or_default();
            let missing: Vec<u64> = (Seq::FIRST.get()..=last)
                .filter(|number| !held.contains(number))
                .collect();
            let told = stored.gaps.get(writer).into_iter().flatten();
            let told: Vec<u64> = told
                .flat_map(|gap| gap.first.get()..=gap.last.get())
                .collect();
            if told != missing {
                self.wrong_gaps.push(writer.to_owned());
            }
        }
    }
}

const fn is_interrupted(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Interrupted)
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.counts;
        let rows = [
            ("rounds", counts.rounds),
            ("kills", counts.kills),
            ("calls begun", counts.begun),
            ("answers Ok (spooled or stored)", counts.ok),
            ("answers Err", counts.failed),
            ("events stored", counts.stored),
            ("  lost", self.lost.len()),
            ("  told stored, not there at once", self.late.len()),
            ("  doubled", self.doubled.len()),
            ("  with another outcome", self.changed.len()),
            ("writers", counts.writers),
            ("  whose gaps are told wrongly", self.wrong_gaps.len()),
            ("calls announced", counts.announced),
            ("  forgotten", self.forgotten.len()),
            ("calls interrupted", counts.interrupted),
            ("  wrongly", self.wrongly_interrupted.len()),
            ("dead letters", self.n_dead_letters),
        ];
        for (name, count) in rows {
            writeln!(f, "{name:<36}{count:>10}")?;
        }
        writeln!(f, "{:<36}{:>10}", "numbers missing", counts.missing_numbers)?;
        let faults = [
            ("lost", &self.lost),
            ("late", &self.late),
            ("doubled", &self.doubled),
            ("changed", &self.changed),
            ("forgotten", &self.forgotten),
            ("wrongly interrupted", &self.wrongly_interrupted),
        ];
        for (name, ids) in faults {
            for id in ids.iter().take(5) {
                writeln!(f, "{name}: {id}")?;
            }
        }
        for (writer, gaps) in &self.gaps {
            for gap in gaps.iter().take(5) {
                writeln!(f, "missing of {writer}: {} to {}", gap.first, gap.last)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use audit_core::event::Timestamp;

    use super::super::stored::StoredEvent;
    use super::*;

    fn id(number: u64) -> EventId {
        EventId::new(Timestamp::MIN, number)
    }

    fn event(number: u64, outcome: Outcome) -> StoredEvent {
        StoredEvent::new(id(number), "writer", Seq::new(number).unwrap(), outcome)
    }

    /// A call that was announced and ended, one that did not end, and one that nobody announced.
    fn sound() -> (Record, Stored) {
        let mut record = Record::new();
        record.begun(id(1), true);
        record.kept(id(1), Outcome::Ok);
        record.begun(id(2), true);
        record.begun(id(3), false);
        record.kept(id(3), Outcome::ToolError);
        let events = vec![
            event(1, Outcome::Ok),
            event(2, Outcome::Interrupted),
            event(3, Outcome::ToolError),
        ];
        let stored = Stored {
            events,
            ..Stored::default()
        };
        (record, stored)
    }

    fn verdict(change: impl FnOnce(&mut Record, &mut Stored)) -> Verdict {
        let (mut record, mut stored) = sound();
        change(&mut record, &mut stored);
        let verdict = Verdict::of(&record, &stored);
        assert!(!verdict.holds(), "{verdict}");
        verdict
    }

    #[test]
    fn what_is_as_it_was_told_holds() {
        let (record, stored) = sound();
        let verdict = Verdict::of(&record, &stored);
        assert!(verdict.holds(), "{verdict}");
        assert_eq!((verdict.n_ok(), verdict.n_announced()), (2, 2));
        assert_eq!(verdict.n_interrupted(), 1);
    }

    #[test]
    fn a_lost_event_is_found() {
        let verdict = verdict(|_, stored| drop(stored.events.pop()));
        assert_eq!(verdict.lost, [id(3)]);
    }

    #[test]
    fn a_doubled_event_is_found() {
        let twice = verdict(|_, stored| stored.events.push(event(1, Outcome::Ok)));
        assert_eq!(twice.doubled, [id(1)]);
        let same_number = verdict(|_, stored| {
            let mut other = event(9, Outcome::Ok);
            other.seq = Seq::FIRST;
            stored.events.push(other);
        });
        assert_eq!(same_number.doubled, [id(9)]);
    }

    #[test]
    fn a_wrongly_interrupted_event_is_found() {
        let ended = verdict(|_, stored| stored.events[0].outcome = Outcome::Interrupted);
        assert_eq!(ended.wrongly_interrupted, [id(1)]);
        let unannounced = verdict(|record, stored| {
            record.begun(id(4), false);
            stored.events.push(event(4, Outcome::Interrupted));
        });
        assert_eq!(unannounced.wrongly_interrupted, [id(4)]);
    }

    #[test]
    fn a_call_that_was_announced_and_is_not_interrupted_is_found() {
        let verdict = verdict(|_, stored| {
            stored.events[1] = StoredEvent::new(id(9), "other", Seq::FIRST, Outcome::Ok);
            let gap = SeqGap::new(Seq::new(2).unwrap(), Seq::new(2).unwrap());
            stored.gaps.insert("writer".to_owned(), vec![gap]);
        });
        assert_eq!(verdict.forgotten, [id(2)]);
        assert!(verdict.wrong_gaps.is_empty());
    }

    #[test]
    fn another_outcome_is_found() {
        let verdict = verdict(|_, stored| stored.events[2].outcome = Outcome::Ok);
        assert_eq!(verdict.changed, [id(3)]);
    }

    #[test]
    fn a_gap_that_is_not_told_and_one_that_is_none_are_found() {
        let untold = verdict(|_, stored| stored.events[2].seq = Seq::new(5).unwrap());
        assert_eq!(untold.wrong_gaps, ["writer"]);
        let none = verdict(|_, stored| {
            let gap = SeqGap::new(Seq::FIRST, Seq::FIRST);
            stored.gaps.insert("writer".to_owned(), vec![gap]);
        });
        assert_eq!(none.wrong_gaps, ["writer"]);
    }

    #[test]
    fn what_came_late_and_what_was_refused_is_found() {
        verdict(|record, _| record.late.push(id(1)));
        verdict(|_, stored| stored.n_dead_letters = 1);
    }
}
