//! The binary `audit`.

use std::process::ExitCode;

fn main() -> ExitCode {
    audit_cli::main()
}
