//! Input bytes as text, checked a block at a time and not string by string.

/// How much is checked at once: few strings are longer, and little is checked that is never read.
const BLOCK: usize = 1024;

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

    /// The bytes `start..end` of the input, unless they are no text.
    #[inline]
    pub(super) fn text(&mut self, start: usize, end: usize) -> Option<&'i str> {
        if start < self.at || end > self.at + self.block.len() {
            self.check(start, end);
        }
        self.block.get(start - self.at..end - self.at)
    }

    /// The beginning of the input, as far as it is text and within `reach`.
    pub(super) fn beginning(&mut self, reach: usize) -> &'i str {
        self.check(0, std::cmp::min(reach, self.input.len()));
        self.block
    }

    /// Checks a block from `start` to `end` or further.
    fn check(&mut self, start: usize, end: usize) {
        let mut end = std::cmp::max(end, std::cmp::min(start + BLOCK, self.input.len()));
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
    fn pieces_are_text_wherever_blocks_end() {
        let text = "aé壊😀".repeat(600);
        for shift in 0..8 {
            let input = format!("{}{text}", "-".repeat(shift));
            let mut utf8 = Utf8::new(input.as_bytes());
            for length in [1, 3, 40, 900, 2000] {
                for start in 0..input.len() - length {
                    let end = start + length;
                    assert_eq!(utf8.text(start, end), input.get(start..end), "{start}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_text_is_not_handed_out() {
        let input = [b"ab\xffcd".repeat(500), b"\xe5\xa3".to_vec()].concat();
        let mut utf8 = Utf8::new(&input);
        for start in 0..input.len() {
            for end in start + 1..std::cmp::min(start + 9, input.len()) {
                let expected = std::str::from_utf8(&input[start..end]).ok();
                assert_eq!(utf8.text(start, end), expected, "{start} {end}");
            }
        }
    }
}
