use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};

use crate::dashboard;
use crate::problem::Problem;

/// Shows a problem to a person as a page; programs, and whatever asks the API, get it as it is.
pub(crate) async fn show_problems(request: Request, next: Next) -> Response {
    let accept = request.headers().get(header::ACCEPT);
    let accepts_pages = accept
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    let is_page = accepts_pages && !request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    if !is_page {
        return response;
    }
    let Some(problem) = response.extensions_mut().remove::<Problem>() else {
        return response;
    };
    if problem.status() == StatusCode::UNAUTHORIZED {
        return Redirect::to("/login").into_response();
    }
    let mut page = (problem.status(), dashboard::problem(&problem)).into_response();
    if let Some(after) = response.headers_mut().remove(header::RETRY_AFTER) {
        page.headers_mut().insert(header::RETRY_AFTER, after);
    }
    page
}
