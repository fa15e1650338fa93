//! Each way to a server, and what is said when none works.

use std::collections::HashMap;
use std::process::{Command, Output, Stdio};

use audit_testkit::postgres::LocalCluster;

const HELPER: &str = env!("CARGO_BIN_EXE_audit-test-postgres");

/// The helper, which ends at once since it has no stdin, with nothing but this environment.
fn helper(environment: &[(&str, &str)]) -> Output {
    Command::new(HELPER)
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn refusal(environment: &[(&str, &str)]) -> String {
    let output = helper(environment);
    assert!(!output.status.success(), "there was a server: {output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn answer(environment: &[(&str, &str)]) -> HashMap<String, String> {
    let output = helper(environment);
    assert!(output.status.success(), "{output:?}");
    let line = String::from_utf8(output.stdout).unwrap();
    assert_eq!(line.lines().count(), 1, "{line}");
    serde_json::from_str(&line).unwrap()
}

fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "nothing of {part:?} in: {text}");
    }
}

/// Where no daemon is.
const NO_DOCKER: (&str, &str) = ("DOCKER_HOST", "tcp://127.0.0.1:1");
/// Where no server's programs are.
const NO_PROGRAMS: (&str, &str) = ("AUDIT_TEST_POSTGRES_BIN", "/nonexistent");

#[test]
fn local_programs_make_a_server() {
    let answer = answer(&[("AUDIT_TEST_POSTGRES", "local")]);

    assert_eq!(answer["via"], "local");
    assert!(answer["url"].starts_with("postgres://postgres:"));
    assert!(!answer["version"].is_empty());
}

#[test]
fn without_docker_the_local_programs_are_taken() {
    assert_eq!(answer(&[NO_DOCKER])["via"], "local");
}

#[test]
fn where_nothing_is_all_ways_and_their_remedies_are_named() {
    let text = refusal(&[NO_DOCKER, NO_PROGRAMS, ("PATH", "/nonexistent")]);

    assert_says(
        &text,
        &[
            "- url: AUDIT_TEST_DATABASE_URL is not set",
            "- docker: ",
            "docker info",
            "docker pull postgres:15",
            "- local: ",
            "/nonexistent",
            "apt-get install postgresql-15",
        ],
    );
}

#[test]
fn the_ways_are_tried_in_their_order() {
    let text = refusal(&[
        (
            "AUDIT_TEST_DATABASE_URL",
            "postgres://somebody@127.0.0.1:1/it",
        ),
        NO_DOCKER,
        NO_PROGRAMS,
        ("PATH", "/nonexistent"),
    ]);

    let tried = ["\n- url: ", "\n- docker: ", "\n- local: "].map(|way| text.find(way));
    assert!(tried.iter().all(Option::is_some), "{text}");
    assert!(tried.is_sorted(), "{text}");
}

#[tokio::test]
async fn a_server_that_is_named_comes_before_one_of_our_own() {
    let cluster = LocalCluster::builder().start().await.unwrap();

    let answer = answer(&[("AUDIT_TEST_DATABASE_URL", &cluster.url()), NO_DOCKER]);

    assert_eq!((&*answer["via"], &answer["url"]), ("url", &cluster.url()));
}

#[test]
fn a_forced_way_that_fails_is_not_followed_by_another() {
    let text = refusal(&[("AUDIT_TEST_POSTGRES", "docker"), NO_DOCKER]);
    assert_says(
        &text,
        &[
            "AUDIT_TEST_POSTGRES=docker allows no other way",
            "- docker: ",
        ],
    );
    assert!(!text.contains("- local: "), "{text}");

    let text = refusal(&[("AUDIT_TEST_POSTGRES", "local"), NO_PROGRAMS]);
    assert_says(
        &text,
        &["AUDIT_TEST_POSTGRES=local allows no other way", "- local: "],
    );
    assert!(!text.contains("- docker: "), "{text}");
}

#[test]
fn a_tag_names_the_image() {
    let text = refusal(&[
        ("AUDIT_TEST_POSTGRES", "docker"),
        ("AUDIT_TEST_POSTGRES_TAG", "17-alpine"),
        NO_DOCKER,
    ]);

    assert_says(&text, &["docker pull postgres:17-alpine"]);
}

#[test]
fn a_server_that_is_given_is_taken() {
    let text = refusal(&[
        (
            "AUDIT_TEST_DATABASE_URL",
            "postgres://somebody:sesame@127.0.0.1:1/somewhere",
        ),
        NO_DOCKER,
        ("AUDIT_TEST_POSTGRES", "url"),
    ]);

    assert_says(&text, &["postgres://somebody@127.0.0.1:1/somewhere"]);
    assert!(!text.contains("sesame"), "a password is shown: {text}");
}

#[test]
fn a_forced_address_that_is_not_there_is_an_error() {
    let text = refusal(&[("AUDIT_TEST_POSTGRES", "url")]);

    assert_says(
        &text,
        &[
            "AUDIT_TEST_POSTGRES=url allows no other way",
            "AUDIT_TEST_DATABASE_URL is not set",
        ],
    );
}

#[test]
fn a_server_of_another_way_is_not_the_forced_one() {
    let text = refusal(&[
        ("AUDIT_TEST_POSTGRES", "docker"),
        ("AUDIT_TEST_DATABASE_URL", "postgres://given@127.0.0.1:1/it"),
        ("AUDIT_TEST_POSTGRES_VIA", "local"),
        NO_DOCKER,
    ]);

    assert_says(&text, &["docker info"]);
    assert!(!text.contains("given@"), "{text}");
}

#[test]
fn an_unknown_way_is_named() {
    let text = refusal(&[("AUDIT_TEST_POSTGRES", "podman")]);

    assert_says(
        &text,
        &["AUDIT_TEST_POSTGRES", "\"podman\"", "url, docker and local"],
    );
}
