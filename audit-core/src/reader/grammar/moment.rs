use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use crate::error::{Error, ErrorKind};
use crate::event::Timestamp;

/// The units of a stretch of time, with their seconds.
const UNITS: &[(&str, i64)] = &[
    ("s", 1),
    ("m", 60),
    ("h", 3_600),
    ("d", 86_400),
    ("w", 604_800),
];

/// Reads a moment as people write it, seen from `now`: `15m`, `24h` or `1h30m` before it, `now`,
/// `today`, `yesterday`, a date, a date with a time, RFC 3339. What has no zone is UTC.
///
/// ```
/// use audit_core::event::Timestamp;
/// use audit_core::reader::moment;
///
/// let now: Timestamp = moment("2026-03-04T12:00:00Z", Timestamp::MIN)?;
/// assert_eq!(moment("90m", now)?, moment("2026-03-04 10:30", now)?);
/// assert_eq!(moment("yesterday", now)?, moment("2026-03-03", now)?);
/// # Ok::<(), audit_core::Error>(())
/// ```
///
/// # Errors
/// The text is none of these, or lies outside of what events can have.
pub fn moment(text: &str, now: Timestamp) -> Result<Timestamp, Error> {
    let text = text.trim();
    let now = now.to_datetime();
    let midnight = now.date_naive().and_time(NaiveTime::MIN).and_utc();
    let moment = match text {
        "now" => Some(now),
        "today" => Some(midnight),
        "yesterday" => midnight.checked_sub_days(Days::new(1)),
        _ => match stretch(text) {
            Some(stretch) => now.checked_sub_signed(stretch),
            None => calendar(text),
        },
    };
    let moment = moment.ok_or_else(|| unreadable(text))?;
    Timestamp::new(moment)
        .map_err(|source| Error::with_source(ErrorKind::Invalid, unreadable_text(text), source))
}

/// `15m`, `1h30m`: numbers with units, the larger ones first.
fn stretch(text: &str) -> Option<TimeDelta> {
    let mut rest = text;
    let mut seconds: i64 = 0;
    let mut last_unit = i64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|it: char| !it.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest
            .find(|it: char| it.is_ascii_digit())
            .unwrap_or(rest.len());
        let (_, unit) = UNITS.iter().find(|(name, _)| *name == &rest[..letters])?;
        if *unit >= last_unit {
            return None;
        }
        last_unit = *unit;
        seconds = seconds.checked_add(number.checked_mul(*unit)?)?;
        rest = &rest[letters..];
    }
    if last_unit == i64::MAX {
        return None;
    }
    TimeDelta::try_seconds(seconds)
}

fn calendar(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(zoned) = DateTime::parse_from_rfc3339(text) {
        return Some(zoned.to_utc());
    }
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(date.and_time(NaiveTime::MIN).and_utc());
    }
    // A fraction of a second goes with the seconds.
    [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
    ]
    .iter()
    .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
    .map(|local| local.and_utc())
}

fn unreadable(text: &str) -> Error {
    Error::new(ErrorKind::Invalid, unreadable_text(text))
}

fn unreadable_text(text: &str) -> String {
    format!(
        "{text:?} is no moment: write how long ago (15m, 24h, 7d), today, yesterday, a date \
         (2026-03-04), or a date and a time (2026-03-04T05:06:07Z)"
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        moment(text, Timestamp::MIN).unwrap()
    }

    #[test]
    fn people_write_moments_in_many_ways() {
        let now = at("2026-03-01T12:34:56.789Z");
        for (text, same) in [
            ("now", "2026-03-01T12:34:56.789Z"),
            (" 15m ", "2026-03-01T12:19:56.789Z"),
            ("1h30m", "2026-03-01T11:04:56.789Z"),
            ("2d", "2026-02-27T12:34:56.789Z"),
            ("1w", "2026-02-22T12:34:56.789Z"),
            ("today", "2026-03-01T00:00:00Z"),
            ("yesterday", "2026-02-28T00:00:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
            ("2026-03-01 05:06", "2026-03-01T05:06:00Z"),
            ("2026-03-01T05:06:07.5", "2026-03-01T05:06:07.500Z"),
            ("2026-03-01T05:06:07+02:00", "2026-03-01T03:06:07Z"),
        ] {
            assert_eq!(moment(text, now).unwrap(), at(same), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused_with_what_would_be_one() {
        let now = at("2026-03-01");
        for text in [
            "",
            "m",
            "15",
            "15 m",
            "-15m",
            "30m1h",
            "1h1h",
            "15q",
            "tomorrow",
            "2026-02-30",
            "2026-3-1x",
            "99999999999999999999h",
            "9999999999999w",
        ] {
            let error = moment(text, now).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{text}");
            assert!(error.to_string().contains("15m"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "\\PC{0,24}|[0-9smhdw:TZ+ -]{0,24}") {
            drop(moment(&text, at("2026-03-01")));
        }
    }
}
