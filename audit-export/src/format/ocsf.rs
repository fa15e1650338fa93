//! An event as an API Activity of the Open Cybersecurity Schema Framework.

use std::net::{IpAddr, SocketAddr};

use audit_core::AuditEvent;
use audit_core::event::{Decision, Outcome};
use audit_core::payload::Payload;
use serde::Serialize;
use serde_json::value::RawValue;

pub(super) fn write(event: &AuditEvent, row: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    serde_json::to_writer(row, &ApiActivity::of(event)?)
}

/// The class, `class_uid` first: by it a row is told from the last line.
#[derive(Serialize)]
struct ApiActivity<'a> {
    class_uid: u16,
    class_name: &'static str,
    category_uid: u16,
    category_name: &'static str,
    type_uid: u32,
    activity_id: u32,
    activity_name: &'a str,
    severity_id: u8,
    time: i64,
    duration: u64,
    status_id: u8,
    status: &'static str,
    status_code: String,
    /// The outcome, in its word.
    status_detail: &'static str,
    metadata: Metadata<'a>,
    actor: Actor<'a>,
    api: Api<'a>,
    src_endpoint: Endpoint<'a>,
    unmapped: Unmapped<'a>,
}

const API_ACTIVITY: u16 = 6003;
const READ: u32 = 2;
const OTHER: u32 = 99;

impl<'a> ApiActivity<'a> {
    fn of(event: &'a AuditEvent) -> Result<Self, serde_json::Error> {
        let activity_id = activity_of(event.method.as_str());
        let (status_id, status) = status_of(event.outcome);
        Ok(Self {
            class_uid: API_ACTIVITY,
            class_name: "API Activity",
            category_uid: 6,
            category_name: "Application Activity",
            type_uid: u32::from(API_ACTIVITY) * 100 + activity_id,
            activity_id,
            activity_name: match activity_id {
                READ => "Read",
                _ => event.method.as_str(),
            },
            // Informational, or low: how bad a refusal is, is for who reads it.
            severity_id: if event.outcome.is_ok() { 1 } else { 2 },
            time: event.ts.as_micros() / 1_000,
            duration: event.latency_ms.as_micros() / 1_000,
            status_id,
            status,
            status_code: event.status_code.to_string(),
            status_detail: event.outcome.as_str(),
            metadata: Metadata {
                version: "1.5.0",
                product: Product {
                    name: "audit",
                    vendor_name: "audit",
                },
                uid: event.id.to_string(),
                original_time: event.ts.to_string(),
                log_provider: event.writer.as_str(),
                sequence: event.seq.get(),
                correlation_uid: event.trace_id.map(|id| id.to_string()),
            },
            actor: Actor::of(event),
            api: Api::of(event)?,
            src_endpoint: Endpoint::of(event),
            unmapped: Unmapped::of(event)?,
        })
    }
}

/// What a tool does is for its name to say; listing and reading are what they are.
fn activity_of(method: &str) -> u32 {
    match method.rsplit('/').next() {
        Some("get" | "list" | "read") if method.contains('/') => READ,
        _ => OTHER,
    }
}

fn status_of(outcome: Outcome) -> (u8, &'static str) {
    match outcome {
        Outcome::Ok => (1, "Success"),
        // Nobody knows what came of the call.
        Outcome::Aborted | Outcome::Interrupted => (0, "Unknown"),
        _ => (2, "Failure"),
    }
}

#[derive(Serialize)]
struct Metadata<'a> {
    version: &'static str,
    product: Product,
    uid: String,
    original_time: String,
    log_provider: &'a str,
    sequence: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_uid: Option<String>,
}

#[derive(Serialize)]
struct Product {
    name: &'static str,
    vendor_name: &'static str,
}

#[derive(Serialize)]
struct Actor<'a> {
    user: User<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<Uid<'a>>,
    /// As the client claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    app_name: Option<&'a str>,
}

#[derive(Serialize)]
struct User<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    groups: [Name<'a>; 1],
}

#[derive(Serialize)]
struct Name<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Uid<'a> {
    uid: &'a str,
}

impl<'a> Actor<'a> {
    fn of(event: &'a AuditEvent) -> Self {
        let key = event.api_key_id.as_ref().map(AsRef::as_ref);
        Self {
            user: User {
                uid: key,
                name: key.is_none().then_some("unknown"),
                groups: [Name {
                    name: event.role.as_str(),
                }],
            },
            session: event.session_id.as_ref().map(|id| Uid { uid: id.as_str() }),
            app_name: event.client.name.as_ref().map(AsRef::as_ref),
        }
    }
}

#[derive(Serialize)]
struct Api<'a> {
    operation: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<Name<'a>>,
    request: Request<'a>,
    response: Response<'a>,
}

#[derive(Serialize)]
struct Request<'a> {
    uid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Response<'a> {
    code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
}

impl<'a> Api<'a> {
    fn of(event: &'a AuditEvent) -> Result<Self, serde_json::Error> {
        let operation = event.tool_name.as_ref().map(AsRef::as_ref);
        let request_id = event.request_id.as_ref().map(ToString::to_string);
        Ok(Self {
            operation: operation.unwrap_or(event.method.as_str()),
            service: event.upstream.as_ref().map(|it| Name { name: it.as_str() }),
            request: Request {
                uid: request_id.unwrap_or_else(|| event.id.to_string()),
                data: raw(event.request())?,
            },
            response: Response {
                code: event.status_code.as_u16(),
                error: (!event.outcome.is_ok()).then_some(event.outcome.as_str()),
                data: raw(event.response())?,
            },
        })
    }
}

fn raw(payload: Option<&Payload>) -> Result<Option<&RawValue>, serde_json::Error> {
    let json = payload.and_then(Payload::json);
    json.map(serde_json::from_str).transpose()
}

#[derive(Serialize)]
struct Endpoint<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

impl<'a> Endpoint<'a> {
    fn of(event: &'a AuditEvent) -> Self {
        let address = event.client.address.as_ref();
        let address = address.map_or("unknown", AsRef::as_ref);
        let (ip, port) = match address.parse::<SocketAddr>() {
            Ok(socket) => (Some(socket.ip()), Some(socket.port())),
            Err(_) => (address.parse().ok(), None),
        };
        Self {
            ip,
            port,
            name: ip.is_none().then_some(address),
        }
    }
}

/// What the class has no place for, under the names of the event.
#[derive(Serialize)]
struct Unmapped<'a> {
    method: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_name: Option<&'a str>,
    latency_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream_latency_ms: Option<f64>,
    decision: &'a Decision,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_report: Option<Box<RawValue>>,
}

impl<'a> Unmapped<'a> {
    fn of(event: &'a AuditEvent) -> Result<Self, serde_json::Error> {
        let report = event.payload_report_json();
        Ok(Self {
            method: event.method.as_str(),
            tool_name: event.tool_name.as_ref().map(AsRef::as_ref),
            latency_ms: event.latency_ms.as_millis(),
            upstream_latency_ms: event.upstream_latency_ms.map(|it| it.as_millis()),
            decision: &event.decision,
            span_id: event.span_id.map(|id| id.to_string()),
            client_version: event.client.version.as_ref().map(AsRef::as_ref),
            payload_report: report.map(RawValue::from_string).transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_is_told_from_the_rest() {
        assert_eq!(activity_of("tools/list"), READ);
        assert_eq!(activity_of("resources/read"), READ);
        for method in ["tools/call", "list", "GET /v1/items", ""] {
            assert_eq!(activity_of(method), OTHER, "{method}");
        }
    }
}
