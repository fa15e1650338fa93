//! Input bytes as text, checked a block at a time and not string by string.

/// How much is checked at once: few strings are longer, and little is checked that is never read.
const BLOCK: usize = 1024;

/// Where less than this is left of a block, the next one begins.
const LITTLE: usize = 256;

/// Hands out pieces of the input as text.
#[derive(Debug)]
pub(super) struct Utf8<'i> {
    input: &'i [u8],
    /// The last block that was checked, as far as it is text, and where it begins.
    block: &'i str,
    at: usize,
}

impl<'i> Utf8<'i> {
    pub(super) fn new(input: &'i [u8]) -> Self {
        Self {
            input,
            block: "",
            at: 0,
        }
    }

    /// Text from `start` on: at least a little, unless it ends there or is none.
    #[inline]
    pub(super) fn text_from(&mut self, start: usize) -> &'i str {
        let end = self.at + self.block.len();
        if start < self.at || start + LITTLE > end && end < self.input.len() {
            self.check(start, start + BLOCK);
        }
        self.block.get(start - self.at..).unwrap_or_default()
    }

    /// The beginning of the input, as far as it is text and within `reach`.
    pub(super) fn beginning(&mut self, reach: usize) -> &'i str {
        self.check(0, std::cmp::max(reach, BLOCK));
        self.block
    }

    /// Checks a block from `start` to `end`, or to the end of the input.
    #[cold]
    fn check(&mut self, start: usize, end: usize) {
        let mut end = std::cmp::min(end, self.input.len());
        // Not to the middle of a character.
        let is_inside = |end: &usize| matches!(self.input.get(*end), Some(0x80..0xc0));
        while is_inside(&end) && end > start {
            end -= 1;
        }
        let bytes = &self.input[start..end];
        let valid = match std::str::from_utf8(bytes) {
            Err(e) => std::str::from_utf8(&bytes[..e.valid_up_to()]),
            valid => valid,
        };
        self.block = valid.unwrap_or_default();
        self.at = start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_on_wherever_blocks_end() {
        let text = "aé壊😀".repeat(600);
        for shift in 0..8 {
            let input = format!("{}{text}", "-".repeat(shift));
            let mut utf8 = Utf8::new(input.as_bytes());
            for (start, _) in input.char_indices() {
                let text = utf8.text_from(start);
                assert!(input[start..].starts_with(text), "{start}");
                let rest = input.len() - start;
                assert!(text.len() > std::cmp::min(LITTLE - 4, rest - 1), "{start}");
            }
        }
    }

    #[test]
    fn what_is_no_text_is_not_handed_out() {
        let input = [b"ab\xffcd".repeat(500), b"\xe5\xa3".to_vec()].concat();
        let mut utf8 = Utf8::new(&input);
        for start in 0..input.len() {
            let rest = &input[start..];
            let expected = rest.utf8_chunks().next().map(|chunk| chunk.valid());
            assert_eq!(Some(utf8.text_from(start)), expected, "{start}");
        }
    }
}
