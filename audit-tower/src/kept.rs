//! What is kept of headers and bodies, as payloads.

use audit_core::payload::{Payload, PayloadContext};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::capture::Captured;
use crate::content::Content;

/// The headers that are asked for, as the text of a JSON object.
pub(crate) fn headers(headers: &HeaderMap, names: &[HeaderName]) -> Option<String> {
    if names.is_empty() {
        return None;
    }
    let mut object = serde_json::Map::new();
    for name in names {
        let values: Vec<_> = headers
            .get_all(name)
            .into_iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        if !values.is_empty() {
            object.insert(name.as_str().to_owned(), values.join(", ").into());
        }
    }
    Some(Value::Object(object).to_string())
}

/// The size that a message announces.
pub(crate) fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether there is anything to make a payload of.
pub(crate) fn is_worth_it(headers: Option<&str>, body: Option<&Captured>) -> bool {
    headers.is_some() || body.is_some_and(|body| body.size > 0)
}

pub(crate) fn payload(
    context: PayloadContext<'_>,
    headers: Option<&str>,
    body: Option<&Captured>,
) -> Payload {
    let body = body.filter(|body| body.size > 0);
    match (headers, body) {
        (Some(headers), body) => with_headers(&context, headers, body),
        (None, Some(body)) => alone(&context, body),
        (None, None) => Payload::from_json("null", &context),
    }
}

fn alone(context: &PayloadContext<'_>, body: &Captured) -> Payload {
    let context = context.original_bytes(body.size);
    match body.content {
        Content::Json if body.was_read => Payload::from_json(&body.bytes, &context),
        Content::Text if body.was_read => Payload::from_text(&text(body), &context),
        _ => Payload::from_serialize(&summary(body), &context),
    }
}

/// `{"headers": {…}, "body": …}`; the end is missing where the body's own end is.
fn with_headers(context: &PayloadContext<'_>, headers: &str, body: Option<&Captured>) -> Payload {
    let n_kept = body.map_or(0, |body| body.bytes.len());
    let mut out = Vec::with_capacity(headers.len() + n_kept + 32);
    out.extend_from_slice(b"{\"headers\":");
    out.extend_from_slice(headers.as_bytes());
    let mut n_missing = 0;
    let mut is_whole = true;
    if let Some(body) = body {
        out.extend_from_slice(b",\"body\":");
        is_whole = put_body(&mut out, body);
        let n_kept = u64::try_from(n_kept).unwrap_or(u64::MAX);
        n_missing = body.size.saturating_sub(n_kept);
    }
    if is_whole {
        out.push(b'}');
    }
    let n_given = u64::try_from(out.len()).unwrap_or(u64::MAX);
    let context = match is_whole {
        true => *context,
        false => context.original_bytes(n_given.saturating_add(n_missing)),
    };
    Payload::from_json(&out, &context)
}

/// Whether the body stands there to its end.
fn put_body(out: &mut Vec<u8>, body: &Captured) -> bool {
    let Captured { bytes, size, .. } = body;
    let is_all = u64::try_from(bytes.len()).is_ok_and(|kept| kept >= *size);
    match body.content {
        _ if !body.was_read => {}
        Content::Json => match shape(bytes) {
            Shape::Whole if is_all => {
                out.extend_from_slice(bytes);
                return true;
            }
            Shape::Whole | Shape::Beginning => {
                out.extend_from_slice(bytes);
                return false;
            }
            // Put in as it is, it could say what it likes beside itself.
            Shape::Other => return put_text(out, &String::from_utf8_lossy(bytes), is_all),
        },
        Content::Text => return put_text(out, &text(body), is_all),
        Content::Other(_) => {}
    }
    out.extend_from_slice(summary(body).to_string().as_bytes());
    true
}

fn put_text(out: &mut Vec<u8>, text: &str, is_all: bool) -> bool {
    let quoted = Value::from(text).to_string();
    let end = quoted.len() - usize::from(!is_all);
    out.extend_from_slice(&quoted.as_bytes()[..end]);
    is_all
}

enum Shape {
    Beginning,
    Other,
    Whole,
}

fn shape(bytes: &[u8]) -> Shape {
    match serde_json::from_slice::<IgnoredAny>(bytes) {
        Ok(_) => Shape::Whole,
        Err(error) if error.is_eof() => Shape::Beginning,
        Err(_) => Shape::Other,
    }
}

fn summary(body: &Captured) -> Value {
    let kind = match &body.content {
        Content::Json => Some("application/json"),
        Content::Other(kind) => kind.as_deref(),
        Content::Text => Some("text/plain"),
    };
    json!({ "content_type": kind, "bytes": body.size })
}

/// The text, without the half of a character at the end of what goes on.
fn text(body: &Captured) -> std::borrow::Cow<'_, str> {
    let bytes = &body.bytes[..];
    let is_cut = u64::try_from(bytes.len()).is_ok_and(|kept| kept < body.size);
    let bytes = match std::str::from_utf8(bytes) {
        Err(error) if is_cut && error.error_len().is_none() => &bytes[..error.valid_up_to()],
        _ => bytes,
    };
    String::from_utf8_lossy(bytes)
}
