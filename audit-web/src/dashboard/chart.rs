//! Stacked bars over time, drawn by the server. Every mark leads to the events that it stands for.
//!
//! The picture has no text in it, so that it can be stretched to any width; what it says stands around
//! it, and once more in a table, which is what keyboards and screen readers go through.

use maud::{Markup, html};

use super::asked::Asked;
use super::bars::{Bar, Bars};
use super::class::Class;
use super::text::{minute, number};

/// The height of the picture, in its own units; its width is ten for each bar.
const HEIGHT: u64 = 200;

pub(super) fn drawn(asked: &Asked, bars: &Bars) -> Markup {
    let title = format!("Calls by {}", bars.cut.in_words());
    let peak = bars.peak();
    html! {
        figure.chart {
            figcaption {
                span.title { (title) }
                (legend(bars))
            }
            @if peak == 0 {
                p.empty { "No call began in this time." }
            } @else {
                div.plot {
                    span.most title="The most calls of a bar" { (number(peak)) }
                    (picture(asked, bars))
                }
                (axis(bars))
                (table(asked, bars, &title))
            }
        }
    }
}

fn legend(bars: &Bars) -> Markup {
    let n_of = |at: usize| {
        bars.bars
            .iter()
            .filter_map(|bar| bar.n_events.get(at))
            .sum()
    };
    html! {
        ul.legend {
            @for (at, class) in Class::ALL.into_iter().enumerate() {
                li class=(class.word()) title=(class.meaning()) {
                    (class.word()) " " b { (number(n_of(at))) }
                }
            }
        }
    }
}

fn picture(asked: &Asked, bars: &Bars) -> Markup {
    html! {
        svg aria-hidden="true" preserveAspectRatio="none"
            viewBox=(format!("0 0 {} {HEIGHT}", bars.bars.len() * 10)) {
            defs {
                // Lines along the bars stay lines at any width.
                pattern #hatch width="10" height="7" patternUnits="userSpaceOnUse" {
                    rect.refused width="10" height="7" {}
                    rect.gap width="10" height="2" {}
                }
            }
            @for (at, bar) in bars.bars.iter().enumerate() {
                (column(asked, bar, at * 10, bars.peak()))
            }
        }
    }
}

/// One bar, from its bottom to its top.
fn column(asked: &Asked, bar: &Bar, left: usize, peak: u64) -> Markup {
    let mut below = 0;
    let marks = Class::ALL.into_iter().zip(bar.n_events);
    let marks: Vec<_> = marks
        .filter(|(_, n)| *n > 0)
        .map(|(class, n)| {
            let bottom = height(below, peak);
            below += n;
            // What is there is seen, however little it is.
            let tall = std::cmp::max(height(below, peak) - bottom, 2);
            (class, n, HEIGHT.saturating_sub(bottom + tall), tall)
        })
        .collect();
    html! {
        @for (class, n, top, tall) in marks {
            @let fill = (class == Class::Refused).then_some("url(#hatch)");
            a href=(asked.link_to(&bar.filter_of(class))) tabindex="-1" {
                rect class=(class.word()) x=(left + 1) y=(top) width="8" height=(tall) fill=[fill] {
                    title { (minute(bar.begin)) " UTC: " (number(n)) " " (class.word()) }
                }
            }
        }
    }
}

/// The height of so many events; the tallest bar fills the picture.
fn height(n: u64, peak: u64) -> u64 {
    let scaled = u128::from(n) * u128::from(HEIGHT) / u128::from(std::cmp::max(peak, 1));
    u64::try_from(scaled).unwrap_or(HEIGHT)
}

fn axis(bars: &Bars) -> Markup {
    let ends = bars.bars.first().zip(bars.bars.last());
    html! {
        @if let Some((first, last)) = ends {
            p.axis {
                span { (minute(first.begin)) }
                span { "UTC" }
                span { (minute(last.end)) }
            }
        }
    }
}

fn table(asked: &Asked, bars: &Bars, title: &str) -> Markup {
    let filled = bars.bars.iter().filter(|bar| bar.n_all() > 0);
    html! {
        details {
            summary { "The same as a table" }
            div.scroll tabindex="0" role="region" aria-label=(title) {
                table {
                    caption.vh { (title) }
                    thead {
                        tr {
                            th scope="col" { "From (UTC)" }
                            @for class in Class::ALL { th.n scope="col" { (class.word()) } }
                            th.n scope="col" { "all" }
                        }
                    }
                    tbody {
                        @for bar in filled { (row(asked, bar)) }
                    }
                }
            }
        }
    }
}

fn row(asked: &Asked, bar: &Bar) -> Markup {
    html! {
        tr {
            th scope="row" { (minute(bar.begin)) }
            @for (class, n) in Class::ALL.into_iter().zip(bar.n_events) {
                td.n {
                    @if n > 0 {
                        a href=(asked.link_to(&bar.filter_of(class))) { (number(n)) }
                    } @else { "0" }
                }
            }
            td.n { a href=(asked.link_to(&bar.filter())) { (number(bar.n_all())) } }
        }
    }
}
