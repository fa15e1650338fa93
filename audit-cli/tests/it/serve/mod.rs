//! `audit serve` and `audit token`, as a user runs them.

mod needs_web;
mod server;
mod stores;

use self::server::Serve;

#[test]
fn a_token_opens_the_server_until_it_is_taken_back() {
    let mut serve = Serve::stopped();
    let token = serve.create("ops", "viewer");
    assert!(token.starts_with("audit_"), "{token}");
    serve.start(&[]);
    let answer = serve.ask("/api/v1/events", &token);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let metrics = serve.ask("/metrics", &token);
    assert!(metrics.contains("audit_web_requests_total{"), "{metrics}");
    let listed = serve.token(&["ls"]);
    assert!(
        listed.out.contains("\"ops\"") && !listed.out.contains(&token),
        "{listed:?}"
    );
    assert_eq!(serve.token(&["revoke", "ops"]).code, 0);
    let answer = serve.ask("/api/v1/events", &token);
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    let (code, said) = serve.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains(&token));
}

#[test]
fn a_read_is_on_record_when_the_server_has_ended() {
    let mut serve = Serve::stopped();
    let token = serve.create("ops", "auditor");
    serve.start(&[]);
    let export = serve.ask("/api/v1/export", &token);
    assert!(export.contains("audit_export"), "{export}");
    assert_eq!(serve.end().0, Some(0));
    serve.start(&[]);
    let answer = serve.ask(
        "/api/v1/events?filter=method%3Aaudit%2Fexport+key%3Aops",
        &token,
    );
    assert!(answer.contains("\"method\":\"audit/export\""), "{answer}");
}

#[test]
fn a_server_that_nobody_could_ask_says_how_to_make_a_token() {
    let serve = Serve::stopped();
    let refused = serve.refused(&[]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.err.contains("audit token create"), "{refused:?}");
}

#[test]
fn what_would_not_be_safe_is_a_usage_error() {
    let serve = Serve::stopped();
    serve.create("ops", "viewer");
    for arguments in [
        &["--listen", "0.0.0.0:0"][..],
        &["--listen", "192.0.2.1:7700"],
        &["--tls-cert", "x"],
        &["--behind-proxy", "--tls-cert", "x", "--tls-key", "y"],
        &["--requests-per-second", "0"],
    ] {
        let refused = serve.refused(arguments);
        assert_eq!(refused.code, 2, "{arguments:?}: {refused:?}");
    }
}

#[test]
fn tokens_are_named_once_and_scoped_by_known_words() {
    let serve = Serve::stopped();
    serve.create("ops", "viewer,ingest");
    let again = serve.token(&["create", "ops", "--scope", "viewer"]);
    assert_eq!((again.code, again.out.as_str()), (1, ""), "{again:?}");
    assert!(again.err.contains("choose another"), "{again:?}");
    for arguments in [
        &["create", "a b", "--scope", "viewer"][..],
        &["create", "other"],
        &["create", "other", "--scope", "root"],
        &["create", "other", "--scope", "viewer", "--expires", "soon"],
    ] {
        assert_eq!(serve.token(arguments).code, 2, "{arguments:?}");
    }
    let missing = serve.token(&["revoke", "other"]);
    assert_eq!(missing.code, 3, "{missing:?}");
    assert!(missing.err.contains("audit token ls"), "{missing:?}");
}
