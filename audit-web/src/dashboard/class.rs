use std::collections::BTreeMap;

use audit_core::event::Outcome;
use audit_core::reader::{Condition, Filter};

/// The three things that can have come of a call, as far as charts and colors tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Failed,
    Ok,
    Refused,
}

impl Class {
    /// From the bottom of a bar to its top.
    pub(super) const ALL: [Self; 3] = [Self::Ok, Self::Refused, Self::Failed];

    pub(super) const fn of(outcome: Outcome) -> Self {
        if outcome.is_ok() {
            Self::Ok
        } else if outcome.is_refusal() {
            Self::Refused
        } else {
            Self::Failed
        }
    }

    /// The word for it, which is also its class in the style sheet.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Ok => "ok",
            Self::Refused => "refused",
        }
    }

    /// What it takes in, in words.
    pub(super) const fn meaning(self) -> &'static str {
        match self {
            Self::Failed => "every other outcome: errors, timeouts, calls that broke off",
            Self::Ok => "the tool did what it was asked for",
            Self::Refused => "denied, rate limited, or not authenticated",
        }
    }

    /// The calls of the class.
    pub(super) fn filter(self) -> Filter {
        self.narrow(Filter::all())
    }

    /// Those events of a filter about something else that are of the class. Failures are what is
    /// neither of the others, so that an outcome of a later version is among them.
    pub(super) fn narrow(self, filter: Filter) -> Filter {
        let outcomes = Outcome::ALL.iter().copied();
        match self {
            Self::Failed => outcomes
                .filter(|outcome| Self::of(*outcome) != Self::Failed)
                .fold(filter, |filter, outcome| {
                    filter.without(Condition::Outcome(outcome))
                }),
            _ => outcomes
                .filter(|outcome| Self::of(*outcome) == self)
                .fold(filter, |filter, outcome| {
                    filter.with(Condition::Outcome(outcome))
                }),
        }
    }

    /// As many of a row's events are of the class.
    pub(super) fn n_of(self, outcomes: &BTreeMap<Outcome, u64>) -> u64 {
        let own = outcomes.iter();
        let own = own.filter(|(outcome, _)| Self::of(**outcome) == self);
        own.map(|(_, n)| n).sum()
    }
}
