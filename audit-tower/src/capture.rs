//! The beginning of a body, and its size.

use std::io::IoSlice;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Buf;

use crate::content::Content;

/// The first bytes of a body, up to a bound.
#[derive(Debug, Default)]
pub(crate) struct Beginning {
    bytes: Vec<u8>,
    /// How many more are wanted.
    room: usize,
}

impl Beginning {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            room: limit,
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.room == 0
    }

    /// Looks at a chunk, which stays as it is.
    pub(crate) fn push(&mut self, data: &impl Buf) {
        if self.is_full() {
            return;
        }
        let chunk = data.chunk();
        if chunk.len() == data.remaining() {
            self.extend(chunk);
            return;
        }
        let mut parts = [IoSlice::new(&[]); 16];
        let n_parts = data.chunks_vectored(&mut parts);
        let mut n_seen = 0;
        for part in parts.iter().take(n_parts) {
            self.extend(part);
            n_seen += part.len();
        }
        if n_seen < data.remaining() {
            // Behind a hole nothing is a beginning any more.
            self.room = 0;
        }
    }

    fn extend(&mut self, chunk: &[u8]) {
        let chunk = &chunk[..std::cmp::min(chunk.len(), self.room)];
        self.room -= chunk.len();
        self.bytes.extend_from_slice(chunk);
    }
}

/// What is known of a body when its call ends.
#[derive(Debug)]
pub(crate) struct Captured {
    pub(crate) content: Content,
    pub(crate) bytes: Vec<u8>,
    /// The whole size: what went by, or what was announced, if that is more.
    pub(crate) size: u64,
    /// Something went by, or the body came to its end.
    pub(crate) was_read: bool,
}

/// A body that its reader sees to the end.
#[derive(Debug)]
pub(crate) struct Capture {
    content: Content,
    beginning: Beginning,
}

impl Capture {
    pub(crate) fn new(content: Content, limit: usize) -> Self {
        let limit = if content.is_kept() { limit } else { 0 };
        Self {
            content,
            beginning: Beginning::new(limit),
        }
    }

    pub(crate) fn push(&mut self, data: &impl Buf) {
        self.beginning.push(data);
    }

    pub(crate) fn end(self, size: u64) -> Captured {
        Captured {
            content: self.content,
            bytes: self.beginning.bytes,
            size,
            was_read: true,
        }
    }
}

/// A body that one reads while another may already want to know what came: a request's, of which
/// the response may end first.
#[derive(Debug)]
pub(crate) struct SharedCapture {
    content: Content,
    declared: Option<u64>,
    /// Locked only while it fills: what comes behind is counted alone.
    beginning: Mutex<Beginning>,
    size: AtomicU64,
    was_read: AtomicBool,
}

impl SharedCapture {
    pub(crate) fn new(content: Content, limit: usize, declared: Option<u64>) -> Self {
        let limit = if content.is_kept() { limit } else { 0 };
        Self {
            content,
            declared,
            beginning: Mutex::new(Beginning::new(limit)),
            size: AtomicU64::new(0),
            was_read: AtomicBool::new(false),
        }
    }

    /// Counts a chunk.
    pub(crate) fn count(&self, n_bytes: usize) {
        let n_bytes = u64::try_from(n_bytes).unwrap_or(u64::MAX);
        self.size.fetch_add(n_bytes, Ordering::Relaxed);
        self.was_read.store(true, Ordering::Relaxed);
    }

    /// Looks at a chunk, and says whether more of them are wanted.
    pub(crate) fn push(&self, data: &impl Buf) -> bool {
        let mut beginning = self.lock();
        beginning.push(data);
        !beginning.is_full()
    }

    /// The body came to its end.
    pub(crate) fn ended(&self) {
        self.was_read.store(true, Ordering::Relaxed);
    }

    pub(crate) fn end(&self) -> Captured {
        // Without room, whatever still comes is passed by.
        let beginning = std::mem::take(&mut *self.lock());
        let seen = self.size.load(Ordering::Relaxed);
        Captured {
            content: self.content.clone(),
            bytes: beginning.bytes,
            size: std::cmp::max(seen, self.declared.unwrap_or(0)),
            was_read: self.was_read.load(Ordering::Relaxed),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Beginning> {
        self.beginning
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn kept(limit: usize, chunks: &[&dyn AsRef<[u8]>]) -> Vec<u8> {
        let mut beginning = Beginning::new(limit);
        for chunk in chunks {
            beginning.push(&chunk.as_ref());
        }
        beginning.bytes
    }

    #[test]
    fn no_more_than_the_bound_is_held() {
        assert_eq!(kept(5, &[&"abc", &"", &"def", &"ghi"]), b"abcde");
        assert_eq!(kept(3, &[&"abc"]), b"abc");
        assert_eq!(kept(0, &[&"abc"]), b"");
    }

    #[test]
    fn a_chunk_of_several_parts_is_seen_as_one() {
        let chunk = Bytes::from_static(b"one ")
            .chain(&b"two "[..])
            .chain(&b"three"[..]);
        let mut beginning = Beginning::new(100);
        beginning.push(&chunk);
        assert_eq!(beginning.bytes, b"one two three");
        assert_eq!(chunk.remaining(), 13, "the chunk stays as it is");
    }

    #[test]
    fn nothing_is_kept_behind_parts_that_were_not_seen() {
        /// Shows its first byte alone, as a buffer may that knows no vectored reads.
        struct Shy(&'static [u8]);

        impl Buf for Shy {
            fn remaining(&self) -> usize {
                self.0.len()
            }

            fn chunk(&self) -> &[u8] {
                &self.0[..1]
            }

            fn advance(&mut self, n: usize) {
                self.0 = &self.0[n..];
            }
        }

        let mut beginning = Beginning::new(100);
        beginning.push(&Shy(b"abc"));
        beginning.push(&&b"def"[..]);
        assert_eq!(beginning.bytes, b"a");
    }

    #[test]
    fn what_comes_behind_the_end_is_passed_by() {
        let capture = SharedCapture::new(Content::Text, 100, Some(9));
        capture.count(3);
        assert!(capture.push(&&b"abc"[..]));
        let captured = capture.end();
        assert_eq!((&captured.bytes[..], captured.size), (&b"abc"[..], 9));
        assert!(!capture.push(&&b"def"[..]));
        assert_eq!(capture.end().bytes, b"");
    }
}
