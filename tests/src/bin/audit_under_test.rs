//! The binary `audit` as a part of this package, so that tests and benches run what was just built.

use std::process::ExitCode;

fn main() -> ExitCode {
    audit_cli::main()
}
