//! The files that pages need, built into the program.
//!
//! A page names them by [`url`], which changes with their content; so browsers may keep them for
//! ever.

use std::sync::LazyLock;

use axum::extract::{Path, RawQuery};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

use crate::access::Digest;
use crate::problem::Problem;

struct Asset {
    name: &'static str,
    content_type: &'static str,
    content: &'static str,
}

const ASSETS: [Asset; 3] = [
    Asset {
        name: "dashboard.js",
        content_type: "text/javascript; charset=utf-8",
        content: include_str!("assets/dashboard.js"),
    },
    Asset {
        name: "icon.svg",
        content_type: "image/svg+xml",
        content: include_str!("assets/icon.svg"),
    },
    Asset {
        name: "style.css",
        content_type: "text/css; charset=utf-8",
        content: include_str!("assets/style.css"),
    },
];

/// What stands behind the name in a URL, in the order of the assets.
static VERSIONS: LazyLock<[String; ASSETS.len()]> = LazyLock::new(|| {
    ASSETS.each_ref().map(|asset| {
        let digest = Digest::of(asset.content).to_string();
        format!("v={}", &digest[..16])
    })
});

/// Where a page finds an asset.
pub(crate) fn url(name: &str) -> String {
    let position = ASSETS.iter().position(|asset| asset.name == name);
    match position.and_then(|at| VERSIONS.get(at)) {
        Some(version) => format!("/assets/{name}?{version}"),
        None => format!("/assets/{name}"),
    }
}

/// One asset. They hold no secret, so that the login page can use them.
pub(crate) async fn serve(
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let mut all = ASSETS.iter().zip(VERSIONS.iter());
    let found = all.find(|(asset, _)| asset.name == name);
    let (asset, version) = found.ok_or_else(|| Problem::not_found("there is no such asset"))?;
    let is_named_by_content = query.as_deref() == Some(version);
    let caching = if is_named_by_content {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mut response = asset.content.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(asset.content_type),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_is_named_by_its_content() {
        let found = url("style.css");
        assert!(found.starts_with("/assets/style.css?v="), "{found}");
        assert_eq!(found, url("style.css"));
    }
}
