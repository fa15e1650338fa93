//! What the fields of events are called in SQL.

use audit_core::event::CheckName;
use audit_core::reader::TextField;
use audit_core::{Error, ErrorKind};

/// The column of a text.
pub(super) fn of_text(field: TextField) -> Result<&'static str, Error> {
    match field {
        TextField::ClientAddress => Ok("client_address"),
        TextField::ClientName => Ok("client_name"),
        TextField::ClientVersion => Ok("client_version"),
        TextField::Key => Ok("api_key_id"),
        TextField::Method => Ok("method"),
        TextField::RequestId => Ok("request_id"),
        TextField::Role => Ok("role"),
        TextField::Session => Ok("session_id"),
        TextField::Tool => Ok("tool_name"),
        TextField::Upstream => Ok("upstream"),
        TextField::Writer => Ok("writer"),
        _ => Err(unknown()),
    }
}

/// The reason that a check gave.
pub(super) fn reason(check: CheckName) -> Result<&'static str, Error> {
    match check {
        CheckName::Auth => Ok("(decision ->> '$.auth.reason')"),
        CheckName::Authz => Ok("(decision ->> '$.authz.reason')"),
        CheckName::Rate => Ok("(decision ->> '$.rate.reason')"),
        _ => Err(unknown()),
    }
}

/// The answer of a check.
pub(super) fn verdict(check: CheckName) -> Result<&'static str, Error> {
    match check {
        CheckName::Auth => Ok("(decision ->> '$.auth.verdict')"),
        CheckName::Authz => Ok("(decision ->> '$.authz.verdict')"),
        CheckName::Rate => Ok("(decision ->> '$.rate.verdict')"),
        _ => Err(unknown()),
    }
}

/// The texts that free text is looked for in, besides the text fields.
pub(super) const OF_DECISION: [&str; 6] = [
    "(decision ->> '$.auth.reason')",
    "(decision ->> '$.auth.rule')",
    "(decision ->> '$.authz.reason')",
    "(decision ->> '$.authz.rule')",
    "(decision ->> '$.rate.reason')",
    "(decision ->> '$.rate.rule')",
];

/// Something that was added to the questions and not here.
pub(super) fn unknown() -> Error {
    Error::new(
        ErrorKind::Invalid,
        "this version of the store cannot answer that question: update audit-sqlite",
    )
}
