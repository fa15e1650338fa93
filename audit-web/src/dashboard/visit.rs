use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::theme::Theme;
use crate::access::{Scope, Viewer};
use crate::problem::Problem;
use crate::state::Web;

/// Somebody who looks at a page: who it is, in which theme, and where. As an argument of a handler it
/// lets nobody in who may not read.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) viewer: Viewer,
    pub(super) theme: Theme,
    /// Path and query of the page.
    pub(super) here: String,
}

impl FromRequestParts<Arc<Web>> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Problem> {
        let viewer = Viewer::from_request_parts(parts, web).await?;
        viewer.needs(Scope::Viewer)?;
        let here = parts.uri.path_and_query();
        Ok(Self {
            viewer,
            theme: Theme::of(&parts.headers),
            here: here.map_or_else(|| "/".to_owned(), ToString::to_string),
        })
    }
}
