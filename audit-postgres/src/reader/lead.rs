//! Which index a page is read along.
//!
//! A page of one key can be read in two ways: along the index of keys, or along the list, past
//! whatever is not of that key. By its statistics the server takes the second for a value that is
//! common. A value that was common, and is so no more, then costs a walk past everything since;
//! one that never was among the newest is the search with no hit that this store must not be slow
//! at. So the list is no choice where an index leads to the values that were asked for.
//!
//! The server puts up with that by two means. The order begins with the column of the index, which
//! within one value makes no difference; and the value is asked for as an array of one, which the
//! server, unlike a plain equality, does not see through as making that column needless. Another
//! index and a sort remain open to it, where their values are rarer still.

use audit_core::event::Outcome;
use audit_core::reader::{Condition, Field, Filter, TextField};

use super::filter;
use super::sql::Sql;

/// The most values that each get a walk of their own.
const MAX_VALUES: usize = 16;

/// The column to read along, and where its values come from.
pub(super) struct Lead {
    pub(super) column: &'static str,
    pub(super) values: Values,
}

pub(super) enum Values {
    /// Those of this group of the filter's alternatives.
    Given { group: usize, texts: Vec<String> },
    /// Every outcome that there is but `ok` and these.
    WhatWentWrong { except: Vec<String> },
}

impl Lead {
    /// What a filter is best read along, if an index is there for it.
    pub(super) fn of(filter: &Filter) -> Option<Self> {
        Self::along_given(filter).or_else(|| Self::along_what_went_wrong(filter))
    }

    fn along_given(filter: &Filter) -> Option<Self> {
        let given = filter.alternatives();
        let candidates = given.iter().enumerate();
        let candidates = candidates.filter_map(|(group, (field, conditions))| {
            let (rank, column) = index_of(*field)?;
            let mut texts = exact_texts(conditions)?;
            // The walk along a value that cannot match would be the longest of all.
            texts.retain(|text| may_match(filter, *field, text));
            let values = Values::Given { group, texts };
            Some((rank, Self { column, values }))
        });
        let best = candidates.min_by_key(|(rank, _)| *rank);
        best.map(|(_, lead)| lead)
    }

    fn along_what_went_wrong(filter: &Filter) -> Option<Self> {
        let excluded = filter.exclusions().filter_map(|condition| match condition {
            Condition::Outcome(outcome) => Some(outcome.as_str().to_owned()),
            _ => None,
        });
        let except: Vec<_> = excluded.collect();
        let excludes_ok = except.iter().any(|word| word == Outcome::Ok.as_str());
        excludes_ok.then_some(Self {
            column: "outcome",
            values: Values::WhatWentWrong { except },
        })
    }

    /// The group of the filter that the walk takes care of.
    pub(super) fn group(&self) -> Option<usize> {
        match self.values {
            Values::Given { group, .. } => Some(group),
            Values::WhatWentWrong { .. } => None,
        }
    }

    /// Writes a table of the values, with the column `word`.
    pub(super) fn push_values(&self, sql: &mut Sql) {
        match &self.values {
            Values::Given { texts, .. } => {
                sql.text("unnest(").bind(texts.clone()).text(")");
            }
            Values::WhatWentWrong { except } => {
                sql.text(WHAT_WENT_WRONG).bind(except.clone()).text("))");
            }
        }
    }

    /// Writes what the index must be told before it is used: that of outcomes knows no `ok`.
    pub(super) fn push_index_condition(&self, sql: &mut Sql) {
        if self.column == "outcome" {
            sql.text("\n    AND outcome <> 'ok'");
        }
    }
}

/// From word to word along the index of outcomes, without what lies between: also a word that
/// this version does not know is found.
const WHAT_WENT_WRONG: &str = "(
    WITH RECURSIVE words AS (
        (SELECT outcome FROM audit_events WHERE outcome <> 'ok' ORDER BY outcome LIMIT 1)
        UNION ALL
        SELECT (
            SELECT outcome FROM audit_events
            WHERE outcome <> 'ok' AND outcome > words.outcome
            ORDER BY outcome
            LIMIT 1
        )
        FROM words
        WHERE words.outcome IS NOT NULL
    )
    SELECT outcome FROM words WHERE outcome <> ALL(";

/// The column that has an index for this field, the rarer its values usually are the smaller its
/// rank.
fn index_of(field: Field) -> Option<(u8, &'static str)> {
    match field {
        Field::Text(TextField::Session) => Some((0, "session_id")),
        Field::Outcome => Some((1, "outcome")),
        Field::Text(TextField::Key) => Some((2, "api_key_id")),
        Field::Text(TextField::Tool) => Some((3, "tool_name")),
        _ => None,
    }
}

/// The values of conditions that all ask for one, if these are few and have an index.
fn exact_texts(conditions: &[&Condition]) -> Option<Vec<String>> {
    let has_index = |condition: &&Condition| **condition != Condition::Outcome(Outcome::Ok);
    let is_led = |condition: &&Condition| filter::is_exact(condition) && has_index(condition);
    let mut texts = filter::texts(conditions);
    texts.sort_unstable();
    texts.dedup();
    let is_led = conditions.iter().all(is_led) && (1..=MAX_VALUES).contains(&texts.len());
    is_led.then_some(texts)
}

/// Whether an event whose field has this text can match, as far as that field goes.
fn may_match(filter: &Filter, field: Field, text: &str) -> bool {
    let holds = |condition: &Condition| match condition {
        Condition::Outcome(outcome) => outcome.as_str() == text,
        Condition::Text(_, glob) => glob.matches(text),
        _ => false,
    };
    let about_field = |condition: &&Condition| condition.field() == field;
    let is_excluded = filter.exclusions().filter(about_field).any(holds);
    let groups = filter.alternatives();
    let mut groups = groups.iter().filter(|(about, _)| *about == field);
    !is_excluded && groups.all(|(_, conditions)| conditions.iter().any(|it| holds(it)))
}

#[cfg(test)]
mod tests {
    use audit_core::Glob;

    use super::*;

    fn text(field: TextField, text: &str) -> Condition {
        Condition::Text(field, Glob::new(text))
    }

    fn key(name: &str) -> Condition {
        text(TextField::Key, name)
    }

    /// The column and the values.
    fn led(filter: &Filter) -> Option<(&'static str, Vec<String>)> {
        Lead::of(filter).map(|lead| match lead.values {
            Values::Given { texts, .. } => (lead.column, texts),
            Values::WhatWentWrong { except } => (lead.column, except),
        })
    }

    #[test]
    fn a_page_is_read_along_the_index_of_the_rarest_value() {
        let filter = Filter::all()
            .with(text(TextField::Tool, "search"))
            .with(key("b"))
            .with(key("a"))
            .with(key("a"));
        let keys = Vec::from(["a", "b"].map(str::to_owned));
        assert_eq!(led(&filter), Some(("api_key_id", keys.clone())));
        let filter = filter.without(Condition::Outcome(Outcome::Ok));
        assert_eq!(led(&filter), Some(("api_key_id", keys)));
        let filter = filter.with(Condition::Outcome(Outcome::Denied));
        assert_eq!(
            led(&filter),
            Some(("outcome", Vec::from(["denied".to_owned()])))
        );
        let filter = filter.with(text(TextField::Session, "s"));
        assert_eq!(
            led(&filter),
            Some(("session_id", Vec::from(["s".to_owned()])))
        );
    }

    #[test]
    fn a_value_that_cannot_match_is_not_walked_along() {
        let filter = Filter::all().with(key("a")).with(key("b")).with(key("c"));
        let filter = filter.without(key("b*"));
        let filter = filter.intersect(Filter::all().with(key("a*")).with(key("b")));
        assert_eq!(
            led(&filter),
            Some(("api_key_id", Vec::from(["a".to_owned()])))
        );
        let filter = filter.without(key("a"));
        assert_eq!(led(&filter), Some(("api_key_id", Vec::new())));
    }

    #[test]
    fn without_an_index_for_every_value_the_list_is_walked() {
        let ok = Condition::Outcome(Outcome::Ok);
        let denied = Condition::Outcome(Outcome::Denied);
        for filter in [
            Filter::all(),
            Filter::all().with(text(TextField::Role, "admin")),
            Filter::all().with(key("a*")),
            Filter::all()
                .with(key("a"))
                .with(Condition::Absent(TextField::Key)),
            Filter::all().with(ok.clone()).with(denied.clone()),
            Filter::all().without(denied.clone()),
        ] {
            assert_eq!(led(&filter), None, "{filter}");
        }
        let wrong = Filter::all().without(ok).without(denied);
        let except = Vec::from(["ok", "denied"].map(str::to_owned));
        assert_eq!(led(&wrong), Some(("outcome", except)));
    }
}
