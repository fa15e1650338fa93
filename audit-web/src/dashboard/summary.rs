//! What pages of counts have in common: the numbers, the calls over time, the busiest groups.

use audit_core::reader::GroupBy;
use futures_util::future::join_all;
use maud::{Markup, html};

use super::asked::Asked;
use super::bars::Bars;
use super::chart;
use super::counts::Counts;
use super::figures::figures;
use super::ranking::{Ranking, Refusal, SHOWN};
use super::text::second;
use crate::state::Web;

/// Why calls were refused, by what came of them.
const REASONS: [(Refusal, &str); 3] = [
    (Refusal::UNAUTHENTICATED, "Why authentication said no"),
    (Refusal::DENIED, "Why authorization said no"),
    (Refusal::RATE_LIMITED, "Why the rate limit said no"),
];

/// Counts all of it at once, and shows it. What the store does not answer is missing from the page,
/// which says so.
pub(super) async fn of(
    web: &Web,
    counts: &Counts,
    asked: &Asked,
    rankings: &[Ranking<'_>],
) -> Markup {
    let grouped = rankings
        .iter()
        .map(|it| counts.of(web, &asked.filter, it.by, SHOWN));
    let refusals = REASONS.map(|(refusal, _)| asked.filter.clone().intersect(refusal.filter()));
    let reasons = REASONS.iter().zip(&refusals);
    let reasons = reasons.map(|((refusal, _), filter)| counts.of(web, filter, refusal.by(), SHOWN));
    let (all, bars, grouped, reasons) = tokio::join!(
        counts.of(web, &asked.filter, GroupBy::Nothing, 1),
        Bars::count(web, counts, asked),
        join_all(grouped),
        join_all(reasons),
    );
    html! {
        p.as-of { "As of " (second(asked.at)) " UTC" }
        @match &all {
            Ok(all) => (figures(asked, all)),
            Err(problem) => p.problem { "Not counted: " (problem.detail()) },
        }
        @match &bars {
            Ok(bars) => (chart::drawn(asked, bars)),
            Err(problem) => p.problem { "Not drawn: " (problem.detail()) },
        }
        div.columns {
            @for (ranking, counted) in rankings.iter().zip(&grouped) {
                (ranking.table(asked, counted))
            }
            @for ((refusal, title), counted) in REASONS.iter().zip(&reasons) {
                @let is_empty = counted.as_ref().is_ok_and(|it| it.rows.is_empty());
                @if !is_empty {
                    (Ranking { title, of: "reason", by: refusal.by() }.facet(asked, counted))
                }
            }
        }
    }
}
