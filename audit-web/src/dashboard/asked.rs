use audit_core::event::Timestamp;
use audit_core::reader::{Condition, Filter, InvalidFilter, Span, moment};

use super::link;
use crate::api::{Query, invalid};
use crate::problem::Problem;

/// What a page is asked about: a filter as it was typed, and the moment from which `since:24h` counts.
///
/// Both stand in the URL of every link, so that a link means the same events whenever it is followed,
/// and the box still shows what was typed.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) text: String,
    pub(super) at: Timestamp,
    pub(super) filter: Filter,
}

/// Pages count from moments that are whole multiples of this, so that viewers of the same few seconds
/// ask the same questions.
const GRAIN_MICROS: i64 = 5_000_000;

impl Asked {
    /// Reads a filter.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn parse(text: &str, at: Timestamp) -> Result<Self, InvalidFilter> {
        Ok(Self {
            text: text.trim().to_owned(),
            at,
            filter: Filter::parse(text, at)?,
        })
    }

    /// The parameter `at`, or else now.
    ///
    /// # Errors
    /// It is no moment.
    pub(super) fn moment(query: &Query, now: Timestamp) -> Result<Timestamp, Problem> {
        let Some(text) = query.text("at") else {
            let micros = now.as_micros();
            let begin = Timestamp::from_micros(micros - micros % GRAIN_MICROS);
            return Ok(begin.unwrap_or(now));
        };
        moment(text, now).map_err(|error| invalid("at", error))
    }

    /// The text of the filter with a further demand: one that holds beside all that is there.
    pub(super) fn narrowed(&self, demand: &Filter) -> String {
        if self.text.is_empty() {
            return demand.to_string();
        }
        let demands = |field| {
            let mut terms = demand.terms().iter();
            terms.any(|term| term.condition.field() == field)
        };
        let mut own = self.filter.terms().iter();
        // Side by side, two terms about one field would be alternatives.
        let is_alternative = own.any(|term| demands(term.condition.field()));
        let between = if is_alternative { " & " } else { " " };
        format!("{}{between}{demand}", self.text)
    }

    /// Where these events are listed.
    pub(super) fn link(&self) -> String {
        link::explorer(&self.text, self.at)
    }

    /// Where those of them are listed that a demand leaves.
    pub(super) fn link_to(&self, demand: &Filter) -> String {
        link::explorer(&self.narrowed(demand), self.at)
    }

    /// Outside of which time there are none.
    pub(super) fn span(&self) -> Span<Timestamp> {
        let mut span = Span {
            min: None,
            max: None,
        };
        for (_, alternatives) in self.filter.alternatives() {
            let Some(own) = hull(&alternatives) else {
                continue;
            };
            span.min = std::cmp::max(span.min, own.min);
            span.max = match (span.max, own.max) {
                (Some(a), Some(b)) => Some(std::cmp::min(a, b)),
                (a, b) => a.or(b),
            };
        }
        span
    }
}

/// The range that takes in all of these ranges of time; `None`: they are about something else.
fn hull(alternatives: &[&Condition]) -> Option<Span<Timestamp>> {
    let spans = alternatives.iter().map(|condition| match condition {
        Condition::Time(span) => Some(*span),
        _ => None,
    });
    spans.reduce(|a, b| {
        let (a, b) = (a?, b?);
        Some(Span {
            min: a.min.zip(b.min).map(|(a, b)| std::cmp::min(a, b)),
            max: a.max.zip(b.max).map(|(a, b)| std::cmp::max(a, b)),
        })
    })?
}

#[cfg(test)]
mod tests {
    use audit_core::event::Outcome;
    use audit_testkit::{fixture, strategy};

    use super::*;

    fn asked(text: &str) -> Asked {
        Asked::parse(text, fixture::moment(0)).unwrap()
    }

    #[test]
    fn a_demand_never_widens_what_was_asked() {
        let denied = Filter::all().with(Condition::Outcome(Outcome::Denied));
        for (text, narrowed) in [
            ("", "outcome:denied"),
            ("tool:x", "tool:x outcome:denied"),
            ("outcome:ok tool:x", "outcome:ok tool:x & outcome:denied"),
        ] {
            assert_eq!(asked(text).narrowed(&denied), narrowed);
        }
    }

    #[test]
    fn the_span_of_a_filter_takes_in_all_that_can_match() {
        let span = asked("since:1h time:2023-01-01..2023-12-01,>=2023-11-01 until:now").span();
        assert_eq!(span.max, Some(fixture::moment(0)));
        let hour = fixture::moment(0).as_micros() - 3_600_000_000;
        assert_eq!(span.min.map(Timestamp::as_micros), Some(hour));
        assert_eq!(asked("tool:x").span().min, None);
    }

    #[test]
    fn a_narrowed_filter_is_both_filters() {
        let events = strategy::sample(&strategy::batches(8), 16).concat();
        let mut filters = strategy::sample(&strategy::filters(&events), 64);
        // A range that ends before it begins cannot be typed.
        filters.retain(|it| Filter::parse(&it.to_string(), fixture::moment(0)).is_ok());
        for own in &filters {
            for demand in filters.iter().filter(|it| !it.terms().is_empty()) {
                let narrowed = asked(&own.to_string()).narrowed(demand);
                let read = Filter::parse(&narrowed, fixture::moment(0)).unwrap();
                for event in &events {
                    let matches = own.matches(event) && demand.matches(event);
                    assert_eq!(read.matches(event), matches, "{narrowed}");
                }
            }
        }
    }
}
