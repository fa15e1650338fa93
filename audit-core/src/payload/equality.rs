//! Equality of JSON by its meaning.
//!
//! A store's jsonb puts keys in another order and spells numbers in another way, so the same
//! payload comes back as other text.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// Whether `a` and `b` mean the same. Numbers are compared as decimals, without rounding.
pub(super) fn same(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let mut pairs = vec![(a, b)];
    while let Some((a, b)) = pairs.pop() {
        let (a, b) = (a.trim_ascii(), b.trim_ascii());
        let is_same = match (a.bytes().next(), b.bytes().next()) {
            (Some(b'{'), Some(b'{')) => same_members(a, b, &mut pairs),
            (Some(b'['), Some(b'[')) => same_elements(a, b, &mut pairs),
            (Some(b'"'), Some(b'"')) => {
                let text = serde_json::from_str::<String>;
                a == b || matches!((text(a), text(b)), (Ok(a), Ok(b)) if a == b)
            }
            (Some(b'-' | b'0'..=b'9'), Some(b'-' | b'0'..=b'9')) => {
                a == b || Decimal::read(a).is_some_and(|a| Some(a) == Decimal::read(b))
            }
            _ => a == b,
        };
        if !is_same {
            return false;
        }
    }
    true
}

fn same_members<'j>(a: &'j str, b: &'j str, pairs: &mut Vec<(&'j str, &'j str)>) -> bool {
    type Members<'j> = BTreeMap<String, &'j RawValue>;
    let (Ok(a), Ok(b)) = (
        serde_json::from_str::<Members<'j>>(a),
        serde_json::from_str::<Members<'j>>(b),
    ) else {
        return false;
    };
    pairs.extend(a.values().zip(b.values()).map(|(a, b)| (a.get(), b.get())));
    a.keys().eq(b.keys())
}

fn same_elements<'j>(a: &'j str, b: &'j str, pairs: &mut Vec<(&'j str, &'j str)>) -> bool {
    type Elements<'j> = Vec<&'j RawValue>;
    let (Ok(a), Ok(b)) = (
        serde_json::from_str::<Elements<'j>>(a),
        serde_json::from_str::<Elements<'j>>(b),
    ) else {
        return false;
    };
    pairs.extend(a.iter().zip(&b).map(|(a, b)| (a.get(), b.get())));
    a.len() == b.len()
}

/// A number as digits without zeros at either end, and the power of ten of the last of them.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    fn read(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            None => (text, 0),
            Some(i) => (&text[..i], text[i + 1..].parse::<i64>().ok()?),
        };
        let (is_negative, mantissa) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa),
        };
        let fraction = mantissa.find('.').map_or(0, |i| mantissa.len() - i - 1);
        let mut exponent = exponent.checked_sub(i64::try_from(fraction).ok()?)?;
        let all = mantissa.bytes().filter(u8::is_ascii_digit);
        let mut digits: Vec<u8> = all.skip_while(|&b| b == b'0').collect();
        while digits.last() == Some(&b'0') {
            digits.pop();
            exponent = exponent.checked_add(1)?;
        }
        if digits.is_empty() {
            // There is one zero, whatever its sign and its places.
            return Some(Self {
                is_negative: false,
                digits,
                exponent: 0,
            });
        }
        Some(Self {
            is_negative,
            digits,
            exponent,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_store_mean_the_same() {
        for (a, b) in [
            (r#"{"b":1,"aa":[2]}"#, r#"{"aa": [2], "b": 1}"#),
            ("1e16", "10000000000000000"),
            ("1.10e2", "110"),
            ("-0.0", "0.0"),
            ("0.10", "1e-1"),
            (r#""\u00e9\/""#, r#""é/""#),
        ] {
            assert!(same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn other_values_are_not_the_same() {
        for (a, b) in [
            ("9007199254740993", "9007199254740992.0"),
            ("[1,2]", "[1]"),
            (r#"{"a":1}"#, r#"{"a":1,"b":2}"#),
            ("true", "1"),
            (r#""1""#, "1"),
            ("-1", "1"),
        ] {
            assert!(!same(a, b), "{a} {b}");
        }
    }
}
