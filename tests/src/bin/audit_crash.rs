//! The proof by crash, and its victim: what `cargo xtask crash` runs.
#![allow(clippy::print_stdout, reason = "a program's output is its result")]

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use audit_tests::crash::{self, Failure, Place, Proof, Setting, victim};

const USAGE: &str = "\
audit-crash [--rounds-sqlite N] [--rounds-postgres N] [--seed S]
    kills a program under load so often, and compares what its callers were told with what is stored
audit-crash --memory [--events N]
    how much memory a logger before a spool takes while its store is down";

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("audit-crash: a promise was broken, see the table");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("audit-crash: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the promises held.
async fn run(arguments: &[&str]) -> Result<bool, Failure> {
    match arguments {
        ["victim", setting, folder, n_loggers, seed] => {
            let url = std::env::var(victim::DATABASE_URL).ok();
            let place = Place::new(setting.parse()?, PathBuf::from(folder), url);
            victim::run(&place, n_loggers.parse()?, seed.parse()?).await?;
            Ok(true)
        }
        ["unflushed", folder, trigger] => {
            crash::append_while_flushes_fail(Path::new(folder), Path::new(trigger)).await?;
            Ok(true)
        }
        // A process of its own, so that the figures are of nothing else.
        ["fill", folder, n_events] => {
            let figures = crash::fill(Path::new(folder), n_events.parse()?).await?;
            print!("{figures}");
            Ok(figures.holds())
        }
        ["--memory"] => memory("1000000"),
        ["--memory", "--events", n_events] => memory(n_events),
        options => prove(&Options::parse(options)?).await,
    }
}

/// How often to kill.
struct Options {
    rounds_sqlite: usize,
    rounds_postgres: usize,
    seed: u64,
}

impl Options {
    fn parse(mut arguments: &[&str]) -> Result<Self, Failure> {
        let mut options = Self {
            rounds_sqlite: 200,
            rounds_postgres: 50,
            seed: 1,
        };
        while let [name, value, rest @ ..] = arguments {
            match *name {
                "--rounds-sqlite" => options.rounds_sqlite = value.parse()?,
                "--rounds-postgres" => options.rounds_postgres = value.parse()?,
                "--seed" => options.seed = value.parse()?,
                _ => return Err(USAGE.into()),
            }
            arguments = rest;
        }
        if arguments.is_empty() {
            return Ok(options);
        }
        Err(USAGE.into())
    }
}

async fn prove(options: &Options) -> Result<bool, Failure> {
    let program = std::env::current_exe()?;
    // Half of the rounds each.
    let alone = options.rounds_sqlite / 2;
    let mut holds = true;
    for (setting, n_rounds) in [
        (Setting::Sqlite, alone),
        (Setting::SqliteBehindSpool, options.rounds_sqlite - alone),
        (Setting::PostgresBehindSpool, options.rounds_postgres),
    ] {
        if n_rounds == 0 {
            continue;
        }
        let proof = Proof::new(&program, setting, n_rounds, options.seed);
        let verdict = crash::prove(&proof).await?;
        println!("{setting}, seed {}\n{verdict}", options.seed);
        holds &= verdict.holds();
    }
    Ok(holds)
}

fn memory(n_events: &str) -> Result<bool, Failure> {
    let folder = tempfile::Builder::new().prefix("audit-crash-").tempdir()?;
    let status = std::process::Command::new(std::env::current_exe()?)
        .arg("fill")
        .arg(folder.path())
        .arg(n_events)
        .stdin(Stdio::null())
        .status()?;
    Ok(status.success())
}
