//! Which index a page is read along.
//!
//! SQLite keeps no statistics of our table, and would often rather sort all rows of a key than walk
//! along the list, or walk past all that is not of that key. So the index is named: that of the
//! rarest kind of value which the filter asks for, or that of ids. Each value is a list of its own,
//! in the order of ids, and the page is merged from their beginnings.

use audit_core::event::Outcome;
use audit_core::reader::{Condition, Field, Filter, TextField};

use super::filter;
use super::sql::Sql;

/// The most values that each get a walk of their own.
const MAX_VALUES: usize = 16;

/// An index, and where on it to read.
pub(super) struct Lead {
    pub(super) index: &'static Index,
    /// The values of its first column.
    pub(super) values: Vec<String>,
    /// The group of the filter's alternatives that they take care of.
    pub(super) group: Option<usize>,
}

/// An index whose second column is the id.
pub(super) struct Index {
    column: &'static str,
    /// Names the index in a FROM.
    pub(super) table: &'static str,
    /// What it must be told before it is used.
    condition: &'static str,
}

/// The index of what went wrong knows no `ok`.
static OUTCOME: Index = Index {
    column: "outcome",
    table: "audit_events INDEXED BY audit_events_outcome",
    condition: " AND outcome <> 'ok'",
};
static SESSION: Index = Index {
    column: "session_id",
    table: "audit_events INDEXED BY audit_events_session_id",
    condition: "",
};
static KEY: Index = Index {
    column: "api_key_id",
    table: "audit_events INDEXED BY audit_events_api_key_id",
    condition: "",
};
static TOOL: Index = Index {
    column: "tool_name",
    table: "audit_events INDEXED BY audit_events_tool_name",
    condition: "",
};

impl Lead {
    /// What a filter is best read along, if an index is there for it.
    pub(super) fn of(filter: &Filter) -> Option<Self> {
        Self::along_given(filter).or_else(|| Self::along_what_went_wrong(filter))
    }

    fn along_given(filter: &Filter) -> Option<Self> {
        let given = filter.alternatives();
        let candidates = given.iter().enumerate();
        let candidates = candidates.filter_map(|(group, (field, conditions))| {
            let (rank, index) = index_of(*field)?;
            let mut values = exact_texts(conditions)?;
            // The walk along a value that cannot match would be the longest of all.
            values.retain(|text| may_match(filter, *field, text));
            let group = Some(group);
            let lead = Self {
                index,
                values,
                group,
            };
            Some((rank, lead))
        });
        let best = candidates.min_by_key(|(rank, _)| *rank);
        best.map(|(_, lead)| lead)
    }

    fn along_what_went_wrong(filter: &Filter) -> Option<Self> {
        let is_excluded = |outcome: &Outcome| {
            let condition = Condition::Outcome(*outcome);
            filter.exclusions().any(|excluded| *excluded == condition)
        };
        if !is_excluded(&Outcome::Ok) {
            return None;
        }
        let wrong = Outcome::ALL.iter().filter(|outcome| !is_excluded(outcome));
        Some(Self {
            index: &OUTCOME,
            values: wrong.map(|outcome| outcome.as_str().to_owned()).collect(),
            group: None,
        })
    }
}

impl Index {
    /// Writes that the first column has this value.
    pub(super) fn push(&self, sql: &mut Sql, value: String) {
        sql.text(self.column)
            .text(" = ")
            .bind(value)
            .text(self.condition);
    }
}

/// The index for this field, the rarer its values usually are the smaller its rank.
fn index_of(field: Field) -> Option<(u8, &'static Index)> {
    match field {
        Field::Text(TextField::Session) => Some((0, &SESSION)),
        Field::Outcome => Some((1, &OUTCOME)),
        Field::Text(TextField::Key) => Some((2, &KEY)),
        Field::Text(TextField::Tool) => Some((3, &TOOL)),
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
        Lead::of(filter).map(|lead| (lead.index.column, lead.values))
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
        let (column, values) = led(&wrong).unwrap();
        assert_eq!((column, values.len()), ("outcome", Outcome::ALL.len() - 2));
        assert!(!values.iter().any(|word| word == "ok" || word == "denied"));
    }
}
