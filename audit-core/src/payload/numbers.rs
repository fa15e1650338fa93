//! Which numbers are kept as they are.

/// Numbers that every store takes and gives back in few characters: `1e131071` is eight bytes
/// here and 131,072 when Postgres prints it.
pub(super) fn is_storable(text: &str) -> bool {
    const MAX_CHARS: usize = 40;
    if text.len() > MAX_CHARS {
        return false;
    }
    if text.len() < 18 && text.bytes().all(|b| b.is_ascii_digit()) {
        return true;
    }
    let (digits, exponent) = match text.find(['e', 'E']) {
        None => return text.parse().is_ok_and(f64::is_finite),
        Some(i) => (&text[..i], &text[i + 1..]),
    };
    let is_zero = !digits.bytes().any(|b| matches!(b, b'1'..=b'9'));
    let is_small = exponent
        .parse::<i32>()
        .is_ok_and(|e| e.unsigned_abs() <= 40);
    is_small && (is_zero || text.parse().is_ok_and(|n: f64| n.is_finite() && n != 0.0))
}
