//! The project's own commands: `cargo xtask ci | test | check | crash | bench NAME [--json] | pictures`.

mod bench;
mod check;
mod command;
mod crash;
mod pictures;
mod postgres;
mod privilege;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask ci                      everything that CI checks: test, then check
cargo xtask test [FILTER…]          all tests, doc tests among them, on one Postgres for all
cargo xtask check                   format, licences, lints, docs, whether fuzz targets compile, benches run
cargo xtask crash [OPTION…]         kill a program under load, and see whether it kept its word;
                                    --rounds-sqlite N, --rounds-postgres N, --seed S, or --memory
cargo xtask bench NAME [--json]     measure; NAME is one of: export, filter, gateway, ingest, logger, payload, query
                                    (query --rows N: of a store of N events, 10000000 if not said)
cargo xtask pictures [--narrow]     take the pictures of docs/pictures anew, with Chromium; or, to look at,
                                    those of the dashboard on a telephone, into target/pictures
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match &*arguments {
        ["ci"] => test::run(&[]).and_then(|()| check::run()),
        ["check"] => check::run(),
        ["test", filters @ ..] => test::run(filters),
        ["crash", options @ ..] => crash::run(options),
        ["bench", name, options @ ..] => bench::run(name, options),
        ["pictures"] => pictures::take(),
        ["pictures", "--narrow"] => pictures::take_narrow(),
        ["help" | "--help" | "-h"] => {
            eprint!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => Err(format!(
            "this is not a command of the project; these are:\n{USAGE}"
        )),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usage_names_every_bench() {
        let names = bench::NAMES.join(", ");
        assert!(USAGE.contains(&names), "{names}");
    }
}
