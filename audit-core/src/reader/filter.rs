use std::fmt;

use super::condition::Condition;
use super::field::Field;
use crate::event::AuditEvent;

/// Which events are asked for.
///
/// Terms about the same field are alternatives, terms about different fields are all needed, and
/// a negated term excludes whatever it matches. A filter without terms is every event. Two filters
/// that both have to hold are [intersected](Self::intersect): adding the terms of one to the other
/// could widen it.
///
/// # Examples
/// ```
/// use audit_core::event::Outcome;
/// use audit_core::Glob;
/// use audit_core::reader::{Condition, Filter, TextField};
///
/// let refused_deletions = Filter::all()
///     .with(Condition::Text(TextField::Tool, Glob::new("delete_*")))
///     .with(Condition::Outcome(Outcome::Denied))
///     .with(Condition::Outcome(Outcome::RateLimited))
///     .without(Condition::Text(TextField::Role, Glob::exact("admin")));
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
    /// Which of the intersected filters it belongs to: only within one are terms about the same
    /// field alternatives.
    clause: usize,
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
    pub fn with(self, condition: Condition) -> Self {
        self.add(condition, false)
    }

    /// The filter without the events that the condition matches.
    #[must_use]
    pub fn without(self, condition: Condition) -> Self {
        self.add(condition, true)
    }

    /// The events that both filters ask for.
    #[must_use]
    pub fn intersect(mut self, other: Self) -> Self {
        let offset = self.terms.last().map_or(0, |term| term.clause + 1);
        let others = other.terms.into_iter();
        self.terms.extend(others.map(|term| Term {
            clause: term.clause + offset,
            ..term
        }));
        self
    }

    /// The terms in the order in which they were added.
    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// What is demanded: of each group one condition has to hold. The conditions of a group are
    /// about one field; after an intersection two groups may be about the same.
    #[must_use]
    pub fn alternatives(&self) -> Vec<(Field, Vec<&Condition>)> {
        let mut groups: Vec<(usize, Field, Vec<&Condition>)> = Vec::new();
        for term in self.terms.iter().filter(|term| !term.is_negated) {
            let (clause, field) = (term.clause, term.condition.field());
            match groups
                .iter_mut()
                .find(|(of, about, _)| *of == clause && *about == field)
            {
                Some((_, _, conditions)) => conditions.push(&term.condition),
                None => groups.push((clause, field, vec![&term.condition])),
            }
        }
        groups
            .into_iter()
            .map(|(_, field, conditions)| (field, conditions))
            .collect()
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
        !is_excluded
            && self.terms.iter().enumerate().all(|(at, term)| {
                term.is_negated || self.is_asked_before(at) || self.has_alternative(term, event)
            })
    }

    fn add(mut self, condition: Condition, is_negated: bool) -> Self {
        let clause = self.terms.last().map_or(0, |term| term.clause);
        self.terms.push(Term {
            condition,
            is_negated,
            clause,
        });
        self
    }

    /// Whether an earlier term has this one as an alternative: the answer is the same.
    fn is_asked_before(&self, at: usize) -> bool {
        let term = &self.terms[at];
        let field = term.condition.field();
        self.terms[..at]
            .iter()
            .any(|it| !it.is_negated && it.clause == term.clause && it.condition.field() == field)
    }

    /// Whether the event is as the term asks, or as another one about the same field does.
    fn has_alternative(&self, term: &Term, event: &AuditEvent) -> bool {
        let field = term.condition.field();
        self.terms.iter().any(|it| {
            let is_alternative =
                !it.is_negated && it.clause == term.clause && it.condition.field() == field;
            is_alternative && it.condition.matches(event)
        })
    }
}

impl fmt::Display for Filter {
    /// The filter grammar, with ` & ` between intersected filters; equal filters have equal texts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before: Option<usize> = None;
        for term in &self.terms {
            let space = match before.replace(term.clause) {
                None => "",
                Some(clause) if clause == term.clause => " ",
                Some(_) => " & ",
            };
            let minus = if term.is_negated { "-" } else { "" };
            write!(f, "{space}{minus}{}", term.condition)?;
        }
        Ok(())
    }
}
