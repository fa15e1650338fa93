//! What browsers can be made to do, and what ends their sessions.

use std::time::Duration;

use audit_core::Clock as _;
use audit_memory::MemoryStore;
use audit_testkit::fixture;
use audit_web::access::{Scope, Secret, Token, TokenName};
use audit_web::{Exposure, WebConfig};
use axum::http::{StatusCode, header};

use crate::support::Stand;

#[tokio::test]
async fn a_page_of_another_site_cannot_make_a_browser_change_anything() {
    let stand = Stand::with(&[]).await;
    let cookie = stand.log_in(Scope::Viewer).await;
    let own = format!("http://{}", stand.address);
    let attempts: [&[(&str, &str)]; 6] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "cross-site"), ("origin", &own)],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[],
    ];
    for attempt in attempts {
        let mut request = stand
            .request("POST", "/logout")
            .header(header::COOKIE, &cookie);
        for (name, value) in attempt {
            request = request.header(*name, *value);
        }
        let refused = stand.send(request, "").await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{attempt:?}");
        assert_eq!(refused.json()["code"], "cross-site");
    }
    let request = stand
        .request("POST", "/logout")
        .header(header::COOKIE, &cookie);
    let done = stand.send(request.header("origin", &own), "").await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    let after = stand
        .request("GET", "/api/v1/events")
        .header(header::COOKIE, &cookie);
    let after = stand.send(after, "").await;
    assert_eq!(
        after.status,
        StatusCode::UNAUTHORIZED,
        "the session has ended"
    );
}

#[tokio::test]
async fn a_page_of_another_site_cannot_make_a_browser_read_behind_its_users_back() {
    let stand = Stand::with(&[fixture::full_event(1)]).await;
    let cookie = stand.log_in(Scope::Auditor).await;
    let ask = async |path: &str, said: [&str; 3]| {
        let request = stand
            .request("GET", path)
            .header(header::COOKIE, &cookie)
            .header("sec-fetch-site", said[0])
            .header("sec-fetch-mode", said[1])
            .header("sec-fetch-dest", said[2]);
        stand.send(request, "").await
    };
    let event = format!("/api/v1/events/{}", fixture::event_id(1));
    let page = format!("/event/{}", fixture::event_id(1));
    for path in ["/api/v1/export", &event, &page] {
        for said in [
            ["same-site", "no-cors", "image"],
            ["same-site", "cors", "empty"],
            ["cross-site", "navigate", "iframe"],
        ] {
            let refused = ask(path, said).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path} {said:?}");
            assert_eq!(refused.json()["code"], "cross-site");
        }
    }
    assert_eq!(stand.store.n_events(), 1, "nothing was read");
    for said in [
        ["same-origin", "cors", "empty"],
        ["none", "navigate", "document"],
        ["same-site", "navigate", "document"],
    ] {
        assert_eq!(ask(&page, said).await.status, StatusCode::OK, "{said:?}");
    }
}

#[tokio::test]
async fn whoever_logs_in_again_leaves_no_session_behind() {
    let stand = Stand::with(&[]).await;
    let before = stand.log_in(Scope::Viewer).await;
    let request = stand
        .request("POST", "/login")
        .header("sec-fetch-site", "same-origin")
        .header(header::COOKIE, &before);
    let body = format!("token={}", stand.token(Scope::Auditor));
    assert_eq!(
        stand.send(request, body).await.status,
        StatusCode::SEE_OTHER
    );
    let old = stand
        .request("GET", "/api/v1/events")
        .header(header::COOKIE, &before);
    assert_eq!(stand.send(old, "").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_session_ends_with_its_token() {
    let stand = Stand::with(&[]).await;
    let cookie = stand.log_in(Scope::Auditor).await;
    let ask = || {
        stand
            .request("GET", "/api/v1/events")
            .header(header::COOKIE, &cookie)
    };
    assert_eq!(stand.send(ask(), "").await.status, StatusCode::OK);
    // A cookie is not believed where a token is presented that is none.
    let both = ask().header(header::AUTHORIZATION, "Bearer audit_wrong");
    assert_eq!(stand.send(both, "").await.status, StatusCode::UNAUTHORIZED);
    let name = TokenName::new("the-auditor").unwrap();
    assert!(stand.tokens.revoke(&name, stand.clock.now()));
    assert_eq!(stand.send(ask(), "").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_session_that_nobody_uses_ends() {
    let stand = Stand::with(&[]).await;
    let cookie = stand.log_in(Scope::Viewer).await;
    let ask = || {
        stand
            .request("GET", "/api/v1/events")
            .header(header::COOKIE, &cookie)
    };
    stand.clock.advance(Duration::from_secs(59 * 60));
    assert_eq!(stand.send(ask(), "").await.status, StatusCode::OK);
    stand.clock.advance(Duration::from_secs(60 * 60));
    assert_eq!(stand.send(ask(), "").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_expires() {
    let stand = Stand::with(&[]).await;
    let secret = Secret::random();
    let name = TokenName::new("short").unwrap();
    let now = stand.clock.now();
    stand.clock.advance(Duration::from_secs(10));
    let end = stand.clock.now();
    stand.clock.set(now);
    let token = Token::new(name, Scope::Viewer.into(), secret.digest(), now).expires(Some(end));
    assert!(stand.tokens.add(token));
    let bearer = format!("Bearer {}", secret.reveal());
    let ask = || {
        stand
            .request("GET", "/api/v1/events")
            .header(header::AUTHORIZATION, &bearer)
    };
    assert_eq!(stand.send(ask(), "").await.status, StatusCode::OK);
    stand.clock.advance(Duration::from_secs(10));
    assert_eq!(stand.send(ask(), "").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn whoever_guesses_at_the_login_is_held_back() {
    let stand = Stand::with(&[]).await;
    let guess = || {
        stand
            .request("POST", "/login")
            .header("sec-fetch-site", "same-origin")
    };
    for _ in 0..5 {
        let refused = stand.send(guess(), "token=audit_wrong").await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert!(
            refused.text().contains("no valid token"),
            "{}",
            refused.text()
        );
    }
    let held_back = stand.send(guess(), "token=audit_wrong").await;
    assert_eq!(held_back.status, StatusCode::TOO_MANY_REQUESTS);
    let after: u64 = held_back.header("retry-after").parse().unwrap();
    // Not even the right token gets in now, or the right one could be told.
    let right = format!("token={}", stand.token(Scope::Viewer));
    let answer = stand.send(guess(), right.clone()).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    stand.clock.advance(Duration::from_secs(after));
    assert_eq!(
        stand.send(guess(), right).await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn behind_a_proxy_each_address_is_held_back_for_itself() {
    let config = WebConfig::loopback(0).exposure(Exposure::BehindProxy);
    let stand = Stand::configured(config, MemoryStore::new(), &[], |builder| builder).await;
    let guess = async |from: String| {
        let request = stand
            .request("POST", "/login")
            .header("sec-fetch-site", "same-origin")
            .header("x-forwarded-for", from);
        stand.send(request, "token=audit_wrong").await.status
    };
    for claim in 0..5 {
        // What the client claims stands before what the proxy adds.
        let status = guess(format!("198.51.100.{claim}, ::ffff:192.0.2.1")).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    for same in ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1:40123"] {
        let status = guess(same.to_owned()).await;
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{same}");
    }
    let neighbor = guess("::ffff:192.0.2.2".to_owned()).await;
    assert_eq!(neighbor, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn whoever_asks_too_often_is_told_when_to_ask_again() {
    let stand = Stand::with(&[]).await;
    let mut limited = None;
    for _ in 0..401 {
        let answer = stand.get(Scope::Viewer, "/api/v1/stats").await;
        if answer.status != StatusCode::OK {
            limited = Some(answer);
            break;
        }
    }
    let limited = limited.expect("there is a limit");
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(limited.json()["code"], "too-many-requests");
    let after: u64 = limited.header("retry-after").parse().unwrap();
    stand.clock.advance(Duration::from_secs(after));
    let answer = stand.get(Scope::Viewer, "/api/v1/stats").await;
    assert_eq!(answer.status, StatusCode::OK);
}
