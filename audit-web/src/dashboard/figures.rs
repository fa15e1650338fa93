use audit_core::event::Latency;
use audit_core::reader::{Condition, Filter, Span, Statistics};
use maud::{Markup, html};

use super::asked::Asked;
use super::class::Class;
use super::text::{latency, number};

/// The numbers that somebody looks at first. Of a statistic in one row.
pub(super) fn figures(asked: &Asked, counted: &Statistics) -> Markup {
    let row = counted.rows.first();
    let n_all = row.map_or(0, |row| row.n_events);
    let n_of = |class: Class| row.map_or(0, |row| class.n_of(&row.outcomes));
    html! {
        dl.figures {
            div {
                dt { "calls" }
                dd { a href=(asked.link()) { (number(n_all)) } }
            }
            @for class in [Class::Refused, Class::Failed] {
                div class=(class.word()) {
                    dt title=(class.meaning()) { (class.word()) }
                    dd {
                        a href=(asked.link_to(&class.filter())) { (number(n_of(class))) }
                        @if n_all > 0 { " " small { (share(n_of(class), n_all)) } }
                    }
                }
            }
            @if let Some(row) = row {
                @let ranks = [
                    ("p50", "half of the calls took at most this long", row.latency_ms.p50),
                    ("p95", "95 of 100 calls took at most this long", row.latency_ms.p95),
                    ("p99", "99 of 100 calls took at most this long", row.latency_ms.p99),
                ];
                @for (name, meaning, rank) in ranks {
                    div {
                        dt title=(meaning) { (name) }
                        dd { a href=(slower(asked, rank)) { (latency(rank)) } }
                    }
                }
            }
        }
    }
}

/// The calls that took at least as long as a rank.
fn slower(asked: &Asked, rank: Latency) -> String {
    let span = Span::at_least(rank);
    asked.link_to(&Filter::all().with(Condition::Latency(span)))
}

/// A share in percent, to the tenth; what is there is never 0.
fn share(n: u64, of: u64) -> String {
    let tenths = u128::from(n) * 1_000 / u128::from(std::cmp::max(of, 1));
    match tenths {
        0 if n > 0 => "<0.1 %".to_owned(),
        _ => format!("{}.{} %", tenths / 10, tenths % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn a_share_is_not_rounded_to_nothing() {
        assert_eq!(share(1, 100_000), "<0.1 %");
        assert_eq!(share(0, 5), "0.0 %");
        assert_eq!(share(1, 3), "33.3 %");
        assert_eq!(share(u64::MAX, u64::MAX), "100.0 %");
    }
}
