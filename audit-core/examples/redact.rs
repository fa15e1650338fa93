//! Shows what would be stored of a file, and why each redaction was made.
//!
//! ```text
//! cargo run -p audit-core --example redact -- FILE
//! … | cargo run -p audit-core --example redact -- -
//! ```
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::error::Error;
use std::io::Read;

use audit_core::payload::{Payload, PayloadContext, PayloadPolicy};

fn main() -> Result<(), Box<dyn Error>> {
    let Some(file) = std::env::args().nth(1) else {
        return Err("which file? `-` reads the standard input".into());
    };
    let mut bytes = Vec::new();
    if file == "-" {
        std::io::stdin().read_to_end(&mut bytes)?;
    } else {
        bytes = std::fs::read(&file)?;
    }

    let policy = PayloadPolicy::default();
    let (payload, redactions) = Payload::explain_json(&bytes, &PayloadContext::request(&policy));

    println!("{}", payload.json().unwrap_or("nothing is stored"));
    println!();
    for redaction in &redactions {
        println!("{:<24} {}", redaction.rule, redaction.place);
    }
    println!("{}", serde_json::to_string_pretty(payload.report())?);
    Ok(())
}
