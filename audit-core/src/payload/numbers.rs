//! Which numbers are kept as they are.

/// Whether a number of JSON is one that every store takes and gives back in few characters:
/// `1e131071` is eight bytes here and 131,072 when Postgres prints it.
pub(super) fn is_storable(text: &str) -> bool {
    const MAX_CHARS: usize = 40;
    if text.len() > MAX_CHARS {
        return false;
    }
    // So few digits make no number that is too large.
    if text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'-' | b'.')) {
        return true;
    }
    let Some((digits, exponent)) = text.split_once(['e', 'E']) else {
        return false;
    };
    let is_zero = !digits.bytes().any(|b| matches!(b, b'1'..=b'9'));
    let is_small = exponent
        .parse::<i32>()
        .is_ok_and(|e| e.unsigned_abs() <= 40);
    is_small && (is_zero || text.parse().is_ok_and(|n: f64| n.is_finite() && n != 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_kept_that_every_store_takes() {
        let (longest, too_long) = ("9".repeat(40), "9".repeat(41));
        for number in [
            "0",
            "-0",
            "0.50",
            "-170141183460469231731687303715884105728",
            "1e40",
            "0e9",
        ]
        .into_iter()
        .chain([&*longest])
        {
            assert!(is_storable(number), "{number}");
            assert!(number.parse().is_ok_and(f64::is_finite), "{number}");
        }
        for number in ["1e41", "1e131071", "1e-400", &too_long] {
            assert!(!is_storable(number), "{number}");
        }
    }
}
