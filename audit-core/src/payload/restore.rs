//! What a store may hand back.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::PayloadLimits;

/// A store's jsonb spells numbers out and puts spaces between items: no payload grows by more.
const RESPELLING: usize = 10;

/// Text that no [`Payload`](super::Payload) can have written. It holds nothing of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidPayload {
    problem: &'static str,
}

impl fmt::Display for InvalidPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no stored payload: {}", self.problem)
    }
}

impl std::error::Error for InvalidPayload {}

/// Valid JSON without the space between items that a store may have put there, so that an event
/// stays one line.
pub(super) fn on_one_line(json: &str) -> Arc<str> {
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
    let (mut is_in_string, mut is_escaped) = (false, false);
    let is_kept = |c: &char| {
        let was_escaped = std::mem::replace(&mut is_escaped, false);
        if is_in_string {
            is_escaped = *c == '\\' && !was_escaped;
            is_in_string = *c != '"' || was_escaped;
            return true;
        }
        is_in_string = *c == '"';
        !is_space(*c)
    };
    json.chars().filter(is_kept).collect::<String>().into()
}

/// Whether `json` can be a payload that a store gives back.
pub(super) fn check(json: &str) -> Result<(), InvalidPayload> {
    let problem = |problem| Err(InvalidPayload { problem });
    if json.len() > PayloadLimits::MAX.bytes * RESPELLING {
        return problem("larger than any payload");
    }
    let Ok(value) = serde_json::from_str::<Value>(json) else {
        return problem("not JSON");
    };
    let mut values = vec![(&value, 0)];
    while let Some((value, depth)) = values.pop() {
        if depth > PayloadLimits::MAX.depth {
            return problem("deeper than any payload");
        }
        let has_nul = match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(items) => {
                values.extend(items.iter().map(|item| (item, depth + 1)));
                false
            }
            Value::Object(members) => {
                values.extend(members.values().map(|member| (member, depth + 1)));
                members.keys().any(|key| key.contains('\0'))
            }
            Value::Bool(_) | Value::Null | Value::Number(_) => false,
        };
        if has_nul {
            return problem("holds a character that no payload holds");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_between_items_goes_and_space_in_texts_stays() {
        let json = "{ \"a b\" :\n[1, \"x \\\" , \\\\\", \"\\n \"]\t}";
        let expected = "{\"a b\":[1,\"x \\\" , \\\\\",\"\\n \"]}";
        assert_eq!(&*on_one_line(json), expected);
        assert_eq!(
            serde_json::from_str::<Value>(json).unwrap(),
            serde_json::from_str::<Value>(expected).unwrap()
        );
    }
}
