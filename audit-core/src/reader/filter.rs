use std::fmt;

use super::condition::Condition;
use super::field::Field;
use crate::event::AuditEvent;

/// Which events are asked for.
///
/// Terms about the same field are alternatives, terms about different fields are all needed, and
/// a negated term excludes whatever it matches. A filter without terms is every event.
///
/// # Examples
/// ```
/// use audit_core::event::Outcome;
/// use audit_core::reader::{Condition, Filter, Glob, TextField};
///
/// let refused_deletions = Filter::all()
///     .and(Condition::Text(TextField::Tool, Glob::new("delete_*")))
///     .and(Condition::Outcome(Outcome::Denied))
///     .and(Condition::Outcome(Outcome::RateLimited))
///     .and_not(Condition::Text(TextField::Role, Glob::exact("admin")));
/// assert_eq!(
///     refused_deletions.to_string(),
///     r#"tool:"delete_*" outcome:denied outcome:rate_limited -role:"admin""#
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    terms: Vec<Term>,
}

/// One term of a filter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Term {
    /// What is asked.
    pub condition: Condition,
    /// Whether a match excludes the event.
    pub is_negated: bool,
}

impl Filter {
    /// Every event.
    #[must_use]
    pub const fn all() -> Self {
        Self { terms: Vec::new() }
    }

    /// The filter with one more condition: an alternative, if it has one about the same field,
    /// else a further demand.
    #[must_use]
    pub fn and(mut self, condition: Condition) -> Self {
        self.terms.push(Term {
            condition,
            is_negated: false,
        });
        self
    }

    /// The filter without the events that the condition matches.
    #[must_use]
    pub fn and_not(mut self, condition: Condition) -> Self {
        self.terms.push(Term {
            condition,
            is_negated: true,
        });
        self
    }

    /// The terms in the order in which they were added.
    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// The alternatives for each field that is asked for, in the order of the fields' first terms.
    #[must_use]
    pub fn alternatives(&self) -> Vec<(Field, Vec<&Condition>)> {
        let mut groups: Vec<(Field, Vec<&Condition>)> = Vec::new();
        for term in self.terms.iter().filter(|term| !term.is_negated) {
            let field = term.condition.field();
            match groups.iter_mut().find(|(of, _)| *of == field) {
                Some((_, conditions)) => conditions.push(&term.condition),
                None => groups.push((field, vec![&term.condition])),
            }
        }
        groups
    }

    /// The conditions that exclude.
    pub fn exclusions(&self) -> impl Iterator<Item = &Condition> {
        self.terms
            .iter()
            .filter(|term| term.is_negated)
            .map(|term| &term.condition)
    }

    /// Whether the event is asked for. This is the meaning of a filter; every store answers alike.
    #[must_use]
    pub fn matches(&self, event: &AuditEvent) -> bool {
        let is_excluded = self.exclusions().any(|condition| condition.matches(event));
        let is_asked_for = |term: &Term| {
            let field = term.condition.field();
            let mut same = self
                .terms
                .iter()
                .filter(|it| !it.is_negated && it.condition.field() == field);
            same.any(|it| it.condition.matches(event))
        };
        !is_excluded
            && self
                .terms
                .iter()
                .filter(|term| !term.is_negated)
                .all(is_asked_for)
    }
}

impl fmt::Display for Filter {
    /// The filter grammar; equal filters have equal texts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.terms.iter().enumerate() {
            let space = if index > 0 { " " } else { "" };
            let minus = if term.is_negated { "-" } else { "" };
            write!(f, "{space}{minus}{}", term.condition)?;
        }
        Ok(())
    }
}
