use audit_web::access::Scope;
use axum::http::StatusCode;

use crate::support::Stand;

#[tokio::test]
async fn a_token_is_exchanged_for_a_cookie_that_scripts_cannot_read() {
    let stand = Stand::with(&[]).await;
    let request = stand
        .request("POST", "/login")
        .header("sec-fetch-site", "same-origin");
    let body = format!("token={}", stand.token(Scope::Viewer));
    let answer = stand.send(request, body).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header("location"), "/");
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-"), "{cookie}");
    for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains(stand.token(Scope::Viewer)));
    let page = stand.browse(Scope::Viewer, "/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().contains("the-viewer"), "{}", page.text());
    stand.end().await;
}

#[tokio::test]
async fn whoever_is_not_logged_in_is_sent_to_the_login() {
    let stand = Stand::with(&[]).await;
    let request = stand.request("GET", "/").header("accept", "text/html");
    let answer = stand.send(request, "").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header("location"), "/login");
    let program = stand.send(stand.request("GET", "/"), "").await;
    assert_eq!(program.status, StatusCode::UNAUTHORIZED);
    assert_eq!(program.header("content-type"), "application/problem+json");
}
