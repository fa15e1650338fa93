//! The groups of a filter with the most events: who is busiest, and why calls were refused.

use audit_core::Glob;
use audit_core::event::{CheckName, Outcome};
use audit_core::reader::{
    Condition, Filter, GroupBy, GroupKey, Statistics, StatisticsRow, TextField,
};
use maud::{Markup, html};

use super::asked::Asked;
use super::class::Class;
use super::link;
use super::subject::Kind;
use super::text::{latency, number, short};
use crate::problem::Problem;

/// As many groups are shown.
pub(super) const SHOWN: usize = 10;

/// What a list of groups is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ranking<'a> {
    pub(super) title: &'a str,
    /// What a group is called.
    pub(super) of: &'a str,
    pub(super) by: GroupBy,
}

/// A statistic, or why there is none: one that takes too long does not take the page with it.
pub(super) type Counted<'a> = &'a Result<std::sync::Arc<Statistics>, Problem>;

impl Ranking<'_> {
    /// The groups with their calls and how they went; each number leads to its events.
    pub(super) fn table(self, asked: &Asked, counted: Counted<'_>) -> Markup {
        self.framed(counted, |statistics| {
            html! {
                div.scroll tabindex="0" role="region" aria-label=(self.title) {
                    table {
                        caption.vh { (self.title) }
                        thead {
                            tr {
                                th scope="col" { (self.of) }
                                th.n scope="col" { "calls" }
                                th.n scope="col" { "refused" }
                                th.n scope="col" { "failed" }
                                th.n scope="col" { "p95" }
                            }
                        }
                        tbody {
                            @for row in &statistics.rows { (self.row(asked, row)) }
                        }
                    }
                }
            }
        })
    }

    /// The groups with their numbers, each of which narrows the list to itself.
    pub(super) fn facet(self, asked: &Asked, counted: Counted<'_>) -> Markup {
        self.framed(counted, |statistics| {
            let most = statistics.rows.iter().map(|row| row.n_events).max();
            html! {
                ul.facet {
                    @for row in &statistics.rows {
                        li {
                            (self.narrowing(asked, &row.key))
                            span.n { (number(row.n_events)) }
                            (gauge(row.n_events, most.unwrap_or(1)))
                        }
                    }
                }
            }
        })
    }

    fn framed(self, counted: Counted<'_>, list: impl FnOnce(&Statistics) -> Markup) -> Markup {
        html! {
            section {
                h2 { (self.title) }
                @match counted {
                    Err(problem) => p.problem { "Not counted: " (problem.detail()) },
                    Ok(statistics) if statistics.rows.is_empty() => p.empty { "None." },
                    Ok(statistics) => {
                        (list(statistics))
                        @if statistics.is_capped {
                            p.more { "and more: these are the " (SHOWN) " with the most calls" }
                        }
                    }
                }
            }
        }
    }

    fn row(self, asked: &Asked, row: &StatisticsRow) -> Markup {
        let demand = self.demand(&row.key);
        let of = |class: Class| {
            let n = class.n_of(&row.outcomes);
            let href = demand.clone().filter(|_| n > 0);
            let href = href.map(|demand| asked.link_to(&class.narrow(demand)));
            html! {
                @if let Some(href) = href { a href=(href) { (number(n)) } } @else { (number(n)) }
            }
        };
        html! {
            tr {
                th scope="row" { (self.named(asked, &row.key)) }
                td.n {
                    @if let Some(demand) = &demand {
                        a href=(asked.link_to(demand)) { (number(row.n_events)) }
                    } @else { (number(row.n_events)) }
                }
                td.n { (of(Class::Refused)) }
                td.n { (of(Class::Failed)) }
                td.n { (latency(row.latency_ms.p95)) }
            }
        }
    }

    /// The name of a group, which leads to the page about it, if there is one.
    fn named(self, asked: &Asked, key: &GroupKey) -> Markup {
        let kind = match self.by {
            GroupBy::Text(field) => Kind::of(field),
            _ => None,
        };
        match (key, kind) {
            (GroupKey::Text(text), Some(kind)) => html! {
                a href=(link::subject(kind, text)) { (short(text)) }
            },
            _ => self.narrowing(asked, key),
        }
    }

    /// The name of a group, which leads to its events.
    fn narrowing(self, asked: &Asked, key: &GroupKey) -> Markup {
        let name = match key {
            GroupKey::Text(text) => html! { (short(text)) },
            _ => html! { i { "none" } },
        };
        match self.demand(key) {
            Some(demand) => html! { a href=(asked.link_to(&demand)) { (name) } },
            None => name,
        }
    }

    /// What the events of a group have in common, where a filter can say it.
    fn demand(self, key: &GroupKey) -> Option<Filter> {
        let condition = match (self.by, key) {
            (GroupBy::Text(field), GroupKey::Text(text)) => {
                Condition::Text(field, Glob::exact(text))
            }
            (GroupBy::Text(field), GroupKey::Absent) => Condition::Absent(field),
            (GroupBy::Outcome, GroupKey::Text(word)) => Condition::Outcome(word.parse().ok()?),
            (GroupBy::Reason(check), GroupKey::Text(reason)) => {
                return Refusal::by_check(check).map(|refusal| refusal.filter_for(reason));
            }
            _ => return None,
        };
        Some(Filter::all().with(condition))
    }
}

/// The facets of the explorer.
pub(super) const FACETS: [Ranking<'static>; 4] = [
    Ranking {
        title: "Outcome",
        of: "outcome",
        by: GroupBy::Outcome,
    },
    Ranking {
        title: "Tool",
        of: "tool",
        by: GroupBy::Text(TextField::Tool),
    },
    Ranking {
        title: "Key",
        of: "key",
        by: GroupBy::Text(TextField::Key),
    },
    Ranking {
        title: "Role",
        of: "role",
        by: GroupBy::Text(TextField::Role),
    },
];

/// What comes of a call that a check refuses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    check: CheckName,
    outcome: Outcome,
}

impl Refusal {
    pub(super) const DENIED: Self = Self {
        check: CheckName::Authz,
        outcome: Outcome::Denied,
    };
    pub(super) const RATE_LIMITED: Self = Self {
        check: CheckName::Rate,
        outcome: Outcome::RateLimited,
    };
    pub(super) const UNAUTHENTICATED: Self = Self {
        check: CheckName::Auth,
        outcome: Outcome::Unauthenticated,
    };

    fn by_check(check: CheckName) -> Option<Self> {
        let all = [Self::DENIED, Self::RATE_LIMITED, Self::UNAUTHENTICATED];
        all.into_iter().find(|refusal| refusal.check == check)
    }

    /// By the reasons of its check.
    pub(super) const fn by(self) -> GroupBy {
        GroupBy::Reason(self.check)
    }

    /// The calls that were refused so. By their outcome, which stores find without reading decisions.
    pub(super) fn filter(self) -> Filter {
        Filter::all().with(Condition::Outcome(self.outcome))
    }

    /// Those with a reason. The grammar has no term for reasons alone; free text finds them.
    fn filter_for(self, reason: &str) -> Filter {
        self.filter().with(Condition::Contains(reason.into()))
    }
}

/// How much of the most a number is.
fn gauge(n: u64, most: u64) -> Markup {
    let percent = u128::from(n) * 100 / u128::from(std::cmp::max(most, 1));
    html! {
        svg.gauge viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true" {
            rect width=(std::cmp::max(percent, 1)) height="1" {}
        }
    }
}
