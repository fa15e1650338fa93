//! The pages for people: made on the server, useful without a script, and their whole state in the URL.
//!
//! - [`overview`], [`explorer`] with [`facets`], [`event`], [`live`], [`subject`] and [`system`] are the
//!   pages.
//! - [`visit`] lets viewers in; [`layout`] stands around every page; [`link`] makes every URL.
//! - [`asked`] is the question of a page, [`counts`] asks it once for all who want to know.

// What every page begins with.
mod layout;
mod link;
mod theme;
mod visit;

// The question of a page, and its numbers.
mod asked;
mod bars;
mod class;
mod counts;
mod period;
mod range;

// Pieces of pages.
mod chart;
mod figures;
mod help;
mod ranking;
mod shell;
mod summary;
mod table;
mod text;
mod tree;
mod words;

// The pages.
mod event;
mod explorer;
mod facets;
mod live;
mod overview;
mod subject;
mod system;

use std::sync::Arc;

use axum::routing::{get, post};
use axum::{Extension, Router};
use maud::{Markup, html};

use self::counts::Counts;
use self::subject::Kind;
use crate::problem::Problem;
use crate::state::Web;

/// The pages. Every one of them takes a visit, so that nobody is let in who may not read.
pub(crate) fn routes() -> Router<Arc<Web>> {
    let mut routes = Router::new()
        .route("/", get(overview::show))
        .route("/explore", get(explorer::show))
        .route("/explore/counts", get(facets::show))
        .route("/event/{id}", get(event::show))
        .route("/live", get(live::show))
        .route("/system", get(system::show))
        .route("/theme", post(theme::choose));
    for kind in [Kind::Key, Kind::Session, Kind::Tool] {
        routes = routes.route(kind.path(), get(subject::show).layer(Extension(kind)));
    }
    routes.layer(Extension(Arc::new(Counts::default())))
}

/// A page of this title around its content, for whoever nobody knows.
pub(crate) fn page(title: &str, content: &Markup) -> Markup {
    layout::bare(title, content)
}

/// What a browser is shown when a request has no better answer.
pub(crate) fn problem(problem: &Problem) -> Markup {
    let title = problem.status().canonical_reason().unwrap_or("Problem");
    page(
        title,
        &html! {
            h1 { (title) }
            p.problem { (problem.detail()) }
            p { a href="/" { "To the overview" } }
        },
    )
}
