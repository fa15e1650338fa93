//! Shows what would be stored of a file, and why each redaction was made.
//!
//! ```text
//! cargo run -p audit-core --example redact -- FILE
//! … | cargo run -p audit-core --example redact -- -
//! ```

use std::error::Error;
use std::io::{Read, Write};

use audit_core::payload::{Payload, PayloadContext, PayloadPolicy};

// A test runs what is below, without a process of its own.
#[cfg_attr(test, allow(dead_code, reason = "the test calls `show`"))]
fn main() -> Result<(), Box<dyn Error>> {
    show(
        std::env::args().nth(1).as_deref(),
        &mut std::io::stdout().lock(),
    )
}

pub(crate) fn show(file: Option<&str>, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let mut bytes = Vec::new();
    match file {
        None => return Err("which file? `-` reads the standard input".into()),
        Some("-") => drop(std::io::stdin().read_to_end(&mut bytes)?),
        Some(file) => bytes = std::fs::read(file)?,
    }

    let policy = PayloadPolicy::default();
    let (payload, redactions) = Payload::explain_json(&bytes, &PayloadContext::request(&policy));

    writeln!(out, "{}", payload.json().unwrap_or("nothing is stored"))?;
    writeln!(out)?;
    for redaction in &redactions {
        writeln!(out, "{:<24} {}", redaction.rule, redaction.place)?;
    }
    writeln!(out, "{}", serde_json::to_string_pretty(payload.report())?)?;
    Ok(())
}
