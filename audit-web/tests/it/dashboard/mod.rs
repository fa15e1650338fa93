//! The pages, as a browser without a script gets them.

mod cursors;
mod event;
mod explorer;
mod hostile;
mod html;
mod live;
mod marks;
mod scopes;
mod system;
mod theme;
mod weight;

use html::Page;

use crate::support::{Answer, Stand};
use audit_web::access::Scope;

/// A page that is there, checked.
async fn page(stand: &Stand, scope: Scope, path: &str) -> Page {
    let answer = stand.browse(scope, path).await;
    assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.text());
    checked(&answer)
}

/// The page of an answer, checked.
fn checked(answer: &Answer) -> Page {
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    Page::checked(answer.text())
}

/// A query with this value.
fn query(name: &str, value: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair(name, value).finish()
}
