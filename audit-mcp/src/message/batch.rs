use super::{Message, is_space};

/// Messages in an array. They are read one by one, so that a long array costs no memory.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// Valid JSON.
    pub(super) array: &'a str,
}

impl<'a> Batch<'a> {
    /// The messages. An array in the array is none of them: it is [`Message::Invalid`].
    pub fn messages(&self) -> impl Iterator<Item = Message<'a>> + use<'a> {
        elements(self.array).map(|element| Message::parse(element).unwrap_or(Message::Invalid))
    }
}

/// The elements of an array that is valid JSON.
fn elements(array: &str) -> impl Iterator<Item = &str> {
    let inside = array.get(1..array.len() - 1).unwrap_or("");
    let mut rest = Some(inside).filter(|inside| !inside.trim_matches(is_space).is_empty());
    std::iter::from_fn(move || {
        let text = rest?;
        let end = end_of_element(text);
        rest = text.get(end + 1..);
        Some(text[..end].trim_matches(is_space))
    })
}

/// Where the comma is that ends the first element, or the end of the text.
fn end_of_element(text: &str) -> usize {
    let (mut depth, mut is_string, mut is_escaped) = (0_usize, false, false);
    for (i, byte) in text.bytes().enumerate() {
        if is_string {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => is_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => is_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => return i,
            _ => {}
        }
    }
    text.len()
}
