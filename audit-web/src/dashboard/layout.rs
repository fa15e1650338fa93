//! What stands around every page.

use maud::{DOCTYPE, Markup, html};

use super::theme::{self, Theme};
use super::visit::Visit;
use crate::assets;

/// The parts of the dashboard that the navigation names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Explorer,
    Live,
    Overview,
    System,
}

impl Section {
    const fn name(self) -> &'static str {
        match self {
            Self::Explorer => "Explorer",
            Self::Live => "Live",
            Self::Overview => "Overview",
            Self::System => "System",
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Explorer => "/explore",
            Self::Live => "/live",
            Self::Overview => "/",
            Self::System => "/system",
        }
    }

    /// The key that goes there, behind a `g`.
    const fn key(self) -> &'static str {
        match self {
            Self::Explorer => "e",
            Self::Live => "l",
            Self::Overview => "o",
            Self::System => "s",
        }
    }
}

/// A page of the dashboard.
pub(super) fn page(visit: &Visit, section: Section, title: &str, content: &Markup) -> Markup {
    page_with_head(visit, section, title, &html! {}, content)
}

/// A page of the dashboard that says something more to the browser.
pub(super) fn page_with_head(
    visit: &Visit,
    section: Section,
    title: &str,
    head: &Markup,
    content: &Markup,
) -> Markup {
    let head = html! {
        script type="module" src=(assets::url("dashboard.js")) {}
        (head)
    };
    let body = html! {
        a.skip href="#main" { "Skip to the content" }
        header.bar {
            a.brand href="/" { "audit" }
            (navigation(visit, section))
            (theme::choice(visit))
            form.who method="post" action="/logout" {
                span title="The token, and what it may do" {
                    (visit.viewer.name()) " · " (visit.viewer.scopes())
                }
                button { "Log out" }
            }
        }
        main #main tabindex="-1" { (content) }
        (keys(visit))
    };
    document(visit.theme, title, &head, &body)
}

/// A page for whoever nobody knows.
pub(super) fn bare(title: &str, content: &Markup) -> Markup {
    let body = html! { main.alone #main { (content) } };
    document(Theme::Auto, title, &html! {}, &body)
}

fn document(theme: Theme, title: &str, head: &Markup, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" data-theme=(theme.word()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · audit" }
                link rel="icon" href=(assets::url("icon.svg"));
                link rel="stylesheet" href=(assets::url("style.css"));
                (head)
            }
            body { (body) }
        }
    }
}

fn sections(visit: &Visit) -> impl Iterator<Item = Section> {
    let may_see_system = visit.viewer.may_see_system();
    let all = [
        Section::Overview,
        Section::Explorer,
        Section::Live,
        Section::System,
    ];
    let all = all.into_iter();
    all.filter(move |section| *section != Section::System || may_see_system)
}

fn navigation(visit: &Visit, here: Section) -> Markup {
    html! {
        nav aria-label="Pages" {
            @for section in sections(visit) {
                @let current = (section == here).then_some("true");
                a href=(section.path()) data-key=(section.key()) aria-current=[current] {
                    (section.name())
                }
            }
        }
    }
}

/// The keys that the script knows; it shows this when asked with `?`.
fn keys(visit: &Visit) -> Markup {
    let fixed = [
        ("/", "to the filter"),
        ("j k", "next, previous event"),
        ("Enter", "open the event"),
        ("Esc", "close"),
        ("p", "pause, resume the live tail"),
        ("?", "these keys"),
    ];
    html! {
        dialog #keys aria-labelledby="keys-title" {
            h2 #keys-title { "Keys" }
            dl.facts {
                @for (key, what) in fixed {
                    dt { kbd { (key) } } dd { (what) }
                }
                @for section in sections(visit) {
                    dt { kbd { "g " (section.key()) } } dd { "to: " (section.name()) }
                }
            }
            form method="dialog" { button { "Close" } }
        }
    }
}
