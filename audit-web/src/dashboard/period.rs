use maud::{Markup, html};

use super::link;
use crate::api::Query;
use crate::problem::Problem;

/// How far back a page of counts looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Period {
    All,
    Day,
    Hour,
    Month,
    Week,
}

impl Period {
    /// The periods of pages about what has no end of its own.
    pub(super) const BOUNDED: &[Self] = &[Self::Hour, Self::Day, Self::Week, Self::Month];
    /// The periods of pages about what ends, as a session does.
    pub(super) const ANY: &[Self] = &[Self::Hour, Self::Day, Self::Week, Self::Month, Self::All];

    /// The parameter `since`.
    ///
    /// # Errors
    /// It is none of these periods.
    pub(super) fn read(query: &Query, periods: &[Self]) -> Result<Option<Self>, Problem> {
        let words: Vec<_> = periods.iter().map(|it| (it.word(), *it)).collect();
        query.one_of("since", &words)
    }

    /// As it stands in a URL and in the grammar of filters.
    const fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Day => "24h",
            Self::Hour => "1h",
            Self::Month => "30d",
            Self::Week => "7d",
        }
    }

    /// In words.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::All => "all time",
            Self::Day => "24 hours",
            Self::Hour => "1 hour",
            Self::Month => "30 days",
            Self::Week => "7 days",
        }
    }

    /// The term of a filter that says it. It ends at the page's moment, so that what is counted by one
    /// is what is counted by all.
    pub(super) fn term(self) -> String {
        match self {
            Self::All => "until:now".to_owned(),
            _ => format!("since:{} until:now", self.word()),
        }
    }
}

/// Links to the same page over other periods.
pub(super) fn choice(
    path: &str,
    parameters: &[(&str, &str)],
    periods: &[Period],
    chosen: Period,
) -> Markup {
    let href = |period: Period| {
        let mut parameters = parameters.to_vec();
        parameters.push(("since", period.word()));
        link::with(path, &parameters)
    };
    html! {
        nav.choice aria-label="Period" {
            @for period in periods {
                @let current = (*period == chosen).then_some("true");
                a href=(href(*period)) aria-current=[current] { (period.title()) }
            }
        }
    }
}
