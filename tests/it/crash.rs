//! A short run of the proof by crash; `cargo xtask crash` is the long one.

use audit_tests::crash::{Proof, Setting, Verdict, prove};

const PROGRAM: &str = env!("CARGO_BIN_EXE_audit-crash");

async fn proven(setting: Setting, n_rounds: usize) -> Verdict {
    let verdict = prove(&Proof::new(PROGRAM, setting, n_rounds, 1)).await;
    let verdict = verdict.unwrap_or_else(|error| panic!("{error}"));
    assert!(verdict.holds(), "{setting}\n{verdict}");
    assert_eq!(verdict.n_kills(), n_rounds, "{verdict}");
    // A proof about nothing proves nothing.
    assert!(verdict.n_ok() > 100, "{verdict}");
    verdict
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_program_keeps_its_word_before_sqlite() {
    proven(Setting::Sqlite, 4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_program_keeps_its_word_before_a_spool_and_sqlite() {
    let verdict = proven(Setting::SqliteBehindSpool, 4).await;
    assert!(verdict.n_interrupted() > 0, "{verdict}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_program_keeps_its_word_before_a_spool_and_postgres() {
    let verdict = proven(Setting::PostgresBehindSpool, 4).await;
    assert!(verdict.n_interrupted() > 0, "{verdict}");
}
