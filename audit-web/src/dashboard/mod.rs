//! The pages for people.

use std::sync::Arc;

use axum::Router;
use maud::{DOCTYPE, Markup, html};

use crate::access::Viewer;
use crate::assets;
use crate::problem::Problem;
use crate::state::Web;

/// The pages. Every one of them takes a [`Viewer`], so that nobody else is let in.
pub(crate) fn routes() -> Router<Arc<Web>> {
    Router::new().route("/", axum::routing::get(home))
}

/// A page of this title around its content.
pub(crate) fn page(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · audit" }
                link rel="stylesheet" href=(assets::url("style.css"));
            }
            body { main { (content) } }
        }
    }
}

/// What a browser is shown when a request has no better answer.
pub(crate) fn problem(problem: &Problem) -> Markup {
    let title = problem.status().canonical_reason().unwrap_or("Problem");
    page(
        title,
        &html! {
            h1 { (title) }
            p.problem { (problem.detail()) }
            p { a href="/" { "To the beginning" } }
        },
    )
}

async fn home(viewer: Viewer) -> Markup {
    page(
        "Events",
        &html! {
            h1 { "Audit" }
            p { "Logged in as " (viewer.name()) " (" (viewer.scopes()) ")" }
            form method="post" action="/logout" { button { "Log out" } }
        },
    )
}
