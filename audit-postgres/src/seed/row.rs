use std::borrow::Cow;

use audit_core::event::{InvalidField, Latency, StatusCode, Timestamp};
use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A row of the predecessor as JSON: any column may be missing, null, or of another type.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct SeedRow<'a> {
    #[serde(borrow)]
    ts: Option<&'a RawValue>,
    #[serde(borrow)]
    api_key_id: Option<&'a RawValue>,
    #[serde(borrow)]
    role: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_name: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) request_json: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) response_json: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) decision: Option<&'a RawValue>,
    #[serde(borrow)]
    status_code: Option<&'a RawValue>,
    #[serde(borrow)]
    latency_ms: Option<&'a RawValue>,
}

impl<'a> SeedRow<'a> {
    /// When the call began, if that is a moment at all. What has no time zone is taken for UTC.
    pub(super) fn moment(&self) -> Option<DateTime<Utc>> {
        const WITHOUT_ZONE: [&str; 2] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
        let text = text(self.ts)?;
        if let Ok(moment) = DateTime::parse_from_rfc3339(&text) {
            return Some(moment.with_timezone(&Utc));
        }
        let naive = WITHOUT_ZONE
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok())?;
        Some(naive.and_utc())
    }

    pub(super) fn api_key_id(&self) -> Option<Cow<'a, str>> {
        text(self.api_key_id).filter(|text| !text.is_empty())
    }

    pub(super) fn role(&self) -> Option<Cow<'a, str>> {
        text(self.role).filter(|text| !text.is_empty())
    }

    pub(super) fn method(&self) -> Cow<'a, str> {
        text(self.method).unwrap_or_default()
    }

    pub(super) fn tool_name(&self) -> Option<Cow<'a, str>> {
        text(self.tool_name).filter(|text| !text.is_empty())
    }

    /// The status, if there is one.
    pub(super) fn status(&self) -> Result<Option<StatusCode>, InvalidField> {
        // What is no whole number is none that a status can be.
        text(self.status_code)
            .map(|text| StatusCode::new(text.parse::<i64>().unwrap_or(-1)))
            .transpose()
    }

    /// How long the call took, if that was kept.
    pub(super) fn latency(&self) -> Result<Option<Latency>, InvalidField> {
        text(self.latency_ms)
            .map(|text| Latency::from_millis(text.parse().unwrap_or(f64::NAN)))
            .transpose()
    }
}

/// The text of a JSON string, or a JSON value as it is spelled; nothing of null.
pub(super) fn text(json: Option<&RawValue>) -> Option<Cow<'_, str>> {
    let json = json?.get();
    match serde_json::from_str::<String>(json) {
        Ok(text) => Some(Cow::Owned(text)),
        Err(_) if json == "null" => None,
        Err(_) => Some(Cow::Borrowed(json)),
    }
}

/// What no moment of the predecessor's can be told from the others by: the nearest that can be.
pub(super) fn nearest(moment: Option<DateTime<Utc>>) -> Timestamp {
    moment.map_or(Timestamp::MIN, Timestamp::saturating)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(ts: &str) -> Option<String> {
        let json = format!(r#"{{"ts":{ts}}}"#);
        let row: SeedRow<'_> = serde_json::from_str(&json).unwrap();
        row.moment().map(|moment| moment.to_rfc3339())
    }

    #[test]
    fn a_moment_is_read_with_and_without_a_zone() {
        let expected = Some("2026-02-28T23:59:59.123456+00:00".to_owned());
        for ts in [
            r#""2026-02-28T23:59:59.123456+00:00""#,
            r#""2026-03-01T01:59:59.123456+02:00""#,
            r#""2026-02-28T23:59:59.123456""#,
            r#""2026-02-28 23:59:59.123456""#,
        ] {
            assert_eq!(moment(ts), expected, "{ts}");
        }
        for ts in [
            "null",
            r#""infinity""#,
            r#""0044-03-15T00:00:00+00:00 BC""#,
            r#""12026-01-01T00:00:00+00:00""#,
            "7",
        ] {
            assert_eq!(moment(ts), None, "{ts}");
        }
    }

    #[test]
    fn whatever_stands_in_a_column_is_read() {
        let row: SeedRow<'_> = serde_json::from_str(
            r#"{"role":7,"method":null,"tool_name":"","status_code":"200","latency_ms":1.5,"more":[{}]}"#,
        )
        .unwrap();
        assert_eq!(row.role().as_deref(), Some("7"));
        assert_eq!(row.method(), "");
        assert_eq!(row.tool_name(), None);
        assert_eq!(row.status().unwrap().unwrap().as_u16(), 200);
        assert_eq!(row.latency().unwrap().unwrap().as_micros(), 1_500);
        assert_eq!(row.api_key_id(), None);
    }

    #[test]
    fn numbers_that_cannot_be_are_refused() {
        let json = r#"{"status_code":1000,"latency_ms":-1}"#;
        let row: SeedRow<'_> = serde_json::from_str(json).unwrap();
        assert_eq!(row.status().unwrap_err().field(), "status_code");
        assert_eq!(row.latency().unwrap_err().field(), "latency_ms");
    }
}
