//! Values as people read them. Stored text goes through [`visible`] wherever it is shown.

use std::borrow::Cow;

use audit_core::event::{Latency, Timestamp};
use audit_core::visible;
use maud::{Markup, html};

/// The most characters of a stored text in a list; all of it stands on the page of the event.
const SHORT: usize = 48;

/// Stored text in a list.
pub(super) fn short(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(SHORT) {
        None => visible(text),
        Some((end, _)) => Cow::Owned(format!("{}…", visible(&text[..end]))),
    }
}

/// A number with its thousands apart.
pub(super) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number and what it counts.
pub(super) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(n), if n == 1 { one } else { many })
}

/// Bytes, in the unit that leaves a short number.
pub(super) fn bytes(n: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    if n < 1_024 {
        return format!("{n} B");
    }
    // Tenths, in whole numbers.
    let mut tenths = n.saturating_mul(10) / 1_024;
    for unit in units {
        if tenths < 10_240 || unit == "TiB" {
            return format!("{}.{} {unit}", number(tenths / 10), tenths % 10);
        }
        tenths /= 1_024;
    }
    format!("{n} B")
}

/// How long something took, in three digits or so.
pub(super) fn latency(latency: Latency) -> String {
    let micros = latency.as_micros();
    let millis = latency.as_millis();
    match micros {
        0..1_000 => format!("{millis:.3} ms"),
        1_000..10_000 => format!("{millis:.2} ms"),
        10_000..100_000 => format!("{millis:.1} ms"),
        100_000..1_000_000 => format!("{millis:.0} ms"),
        1_000_000..60_000_000 => format!("{:.2} s", millis / 1_000.0),
        _ => {
            let seconds = micros / 1_000_000;
            format!("{} min {} s", number(seconds / 60), seconds % 60)
        }
    }
}

/// A moment in a list, in UTC to the millisecond.
pub(super) fn moment(ts: Timestamp) -> String {
    let text = ts.to_string();
    let (day, time) = text.split_at_checked(10).unwrap_or_default();
    let time = time.get(1..13).unwrap_or_default();
    format!("{day} {time}")
}

/// When a page was made, in UTC to the second.
pub(super) fn second(ts: Timestamp) -> String {
    moment(ts).chars().take(19).collect()
}

/// A moment in words of a page, in UTC to the minute.
pub(super) fn minute(ts: Timestamp) -> String {
    moment(ts).chars().take(16).collect()
}

/// A moment with everything that is known of it; the script adds the local time.
pub(super) fn exact(ts: Timestamp) -> Markup {
    html! { time datetime=(ts) data-local { (ts) } }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn numbers_are_read_at_a_glance() {
        let numbers = [0, 999, 1_000, 12_345, 1_234_567].map(number);
        assert_eq!(numbers, ["0", "999", "1,000", "12,345", "1,234,567"]);
        let sizes = [0, 1_023, 1_024, 1_536, 5 << 20, 3 << 40, u64::MAX].map(bytes);
        assert_eq!(
            sizes[..5],
            ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "5.0 MiB"]
        );
        assert_eq!(sizes[5], "3.0 TiB");
        assert!(sizes[6].ends_with("TiB"), "{}", sizes[6]);
    }

    #[test]
    fn a_latency_has_the_digits_that_matter() {
        let shown = |micros| latency(Latency::new(Duration::from_micros(micros)));
        assert_eq!(shown(42), "0.042 ms");
        assert_eq!(shown(1_234), "1.23 ms");
        assert_eq!(shown(12_345), "12.3 ms");
        assert_eq!(shown(123_456), "123 ms");
        assert_eq!(shown(1_234_567), "1.23 s");
        assert_eq!(shown(61_000_000), "1 min 1 s");
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_shown() {
        let long = "é\u{202e}".repeat(40);
        let shown = short(&long);
        assert!(
            shown.ends_with('…') && !shown.contains('\u{202e}'),
            "{shown}"
        );
        assert_eq!(short("tools/call"), "tools/call");
    }

    #[test]
    fn a_moment_of_a_list_has_milliseconds() {
        let ts = Timestamp::from_micros(1_700_000_123_456_789).unwrap();
        assert_eq!(moment(ts), "2023-11-14 22:15:23.456");
        assert_eq!(second(ts), "2023-11-14 22:15:23");
        assert_eq!(minute(ts), "2023-11-14 22:15");
    }
}
