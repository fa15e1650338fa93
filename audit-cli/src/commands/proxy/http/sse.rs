//! The messages in a stream of server-sent events, seen as it passes by.

/// What is held of one event at the most. Of a larger one nothing is read; it passes all the same.
const MAX_EVENT_BYTES: usize = 8 << 20;

/// Reads a `text/event-stream` chunk by chunk (WHATWG HTML, section 9.2.6).
#[derive(Debug, Default)]
pub(super) struct SseReader {
    line: Vec<u8>,
    /// Whether the line has anything in it, held or not.
    is_line_begun: bool,
    data: Vec<u8>,
    has_data: bool,
    is_too_large: bool,
    /// The last byte was a CR: a LF behind it belongs to it.
    was_cr: bool,
    has_ids: bool,
    is_begun: bool,
}

impl SseReader {
    /// Takes a chunk and hands out the data of each event that ends in it.
    pub(super) fn push(&mut self, chunk: &[u8], mut event: impl FnMut(Vec<u8>)) {
        let mut rest = chunk;
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (line, end) = (&rest[..at], rest[at]);
            let is_second_half = at == 0 && end == b'\n' && self.was_cr;
            self.was_cr = end == b'\r';
            rest = &rest[at + 1..];
            if is_second_half {
                continue;
            }
            self.hold(line);
            if let Some(data) = self.end_line() {
                event(data);
            }
        }
        if !rest.is_empty() {
            self.was_cr = false;
            self.hold(rest);
        }
    }

    /// Whether events have ids, so that a client may ask for what it missed on another stream.
    pub(super) fn has_ids(&self) -> bool {
        self.has_ids
    }

    fn hold(&mut self, part: &[u8]) {
        self.is_line_begun |= !part.is_empty();
        if self.line.len() + self.data.len() + part.len() > MAX_EVENT_BYTES {
            self.is_too_large = true;
            self.line.clear();
            self.data.clear();
        }
        if !self.is_too_large {
            self.line.extend_from_slice(part);
        }
    }

    fn end_line(&mut self) -> Option<Vec<u8>> {
        let line = std::mem::take(&mut self.line);
        let mut line = &*line;
        if std::mem::take(&mut self.is_line_begun) && self.is_too_large {
            return None;
        }
        if !std::mem::replace(&mut self.is_begun, true) {
            line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
        }
        if line.is_empty() {
            // What was too large ends here, too.
            let is_whole = !std::mem::take(&mut self.is_too_large);
            let data = std::mem::take(&mut self.data);
            return (std::mem::take(&mut self.has_data) && is_whole).then_some(data);
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = match colon {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (line, &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
                self.has_data = true;
            }
            b"id" => self.has_ids = true,
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn events(chunks: &[&[u8]]) -> Vec<String> {
        let mut reader = SseReader::default();
        let mut events = Vec::new();
        for chunk in chunks {
            reader.push(chunk, |data| events.push(String::from_utf8(data).unwrap()));
        }
        events
    }

    #[test]
    fn events_end_with_a_blank_line_of_any_kind() {
        for end in ["\n", "\r", "\r\n"] {
            let text = format!(
                "\u{feff}data: a{end}{end}: remark{end}event: message{end}id: 1{end}data:b{end}data: \
                 c{end}{end}id: 2{end}{end}data{end}{end}data: cut"
            );
            assert_eq!(events(&[text.as_bytes()]), ["a", "b\nc", ""], "{end:?}");
        }
    }

    #[test]
    fn an_event_that_is_too_large_is_passed_over() {
        let large = vec![b'x'; MAX_EVENT_BYTES];
        let chunks: [&[u8]; 5] = [b"data: ", &large, b"y\ndata: z\n", b"\n", b"data: next\n\n"];
        assert_eq!(events(&chunks), ["next"]);
    }

    proptest! {
        #[test]
        fn chunks_make_no_difference(
            text in "((data|id|event)?:? ?[a-c]{0,3}(\r\n|\n|\r)){0,12}",
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let whole = events(&[text.as_bytes()]);
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            cuts.sort_unstable();
            let mut from = 0;
            let mut chunks = Vec::new();
            for cut in cuts {
                chunks.push(&text.as_bytes()[from..cut]);
                from = cut;
            }
            chunks.push(&text.as_bytes()[from..]);
            prop_assert_eq!(events(&chunks), whole);
        }
    }
}
