//! The file of policy: how safely calls are kept, and what of their payloads.

use std::path::Path;

use audit_core::logger::AuditPolicy;
use audit_core::payload::{PayloadPolicy, PayloadPolicyBuilder};

use crate::failure::{Exit, Failure};

/// How safely calls are kept.
pub(crate) fn audit_policy(file: Option<&Path>) -> Result<AuditPolicy, Failure> {
    let Some(path) = file else {
        return Ok(AuditPolicy::new());
    };
    AuditPolicy::from_toml(&read(path)?).map_err(|error| unusable(path, &error))
}

/// What of their payloads is kept: the rules of the file behind those that are there.
pub(crate) fn payload_policy(
    builder: PayloadPolicyBuilder,
    file: Option<&Path>,
) -> Result<PayloadPolicy, Failure> {
    let builder = match file {
        Some(path) => builder
            .toml(&read(path)?)
            .map_err(|error| unusable(path, &error))?,
        None => builder,
    };
    builder
        .build()
        .map_err(|error| Failure::because("payloads cannot be kept", &error))
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| {
        let what = format!("the policy {} cannot be read", path.display());
        Failure::because(what, &error)
    })
}

fn unusable(path: &Path, error: &audit_core::Error) -> Failure {
    let what = format!("the policy {} cannot be used", path.display());
    Failure::because(what, error).exit(Exit::Usage)
}
