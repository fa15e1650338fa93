/// How much of a payload is kept, and how much of it is looked at.
///
/// What comes out keeps to every one of them: the marks of what was cut are counted too.
///
/// ```
/// # use audit_core::payload::PayloadLimits;
/// let limits = PayloadLimits::default().with_bytes(8192).with_items(100);
/// assert_eq!(limits.bytes, 8192);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PayloadLimits {
    /// Bytes of canonical JSON.
    pub bytes: usize,
    /// Containers inside each other.
    pub depth: usize,
    /// Members of an object, elements of an array.
    pub items: usize,
    /// Characters of a key.
    pub key_chars: usize,
    /// Characters of a string.
    pub string_chars: usize,
    /// Bytes of input that are looked at: what bounds the cost.
    pub scan_bytes: usize,
}

impl PayloadLimits {
    /// The smallest that can say anything at all.
    pub const MIN: Self = Self {
        bytes: 64,
        depth: 1,
        items: 2,
        key_chars: 32,
        string_chars: 32,
        scan_bytes: 64,
    };

    /// The largest that a policy may ask for.
    pub const MAX: Self = Self {
        bytes: 1 << 20,
        depth: 64,
        items: 1024,
        key_chars: 4096,
        string_chars: 1 << 16,
        scan_bytes: 16 << 20,
    };

    /// With so many bytes of canonical JSON.
    #[must_use]
    pub const fn with_bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// With so many containers inside each other.
    #[must_use]
    pub const fn with_depth(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }

    /// With so many members or elements.
    #[must_use]
    pub const fn with_items(mut self, items: usize) -> Self {
        self.items = items;
        self
    }

    /// With keys of so many characters.
    #[must_use]
    pub const fn with_key_chars(mut self, chars: usize) -> Self {
        self.key_chars = chars;
        self
    }

    /// With strings of so many characters.
    #[must_use]
    pub const fn with_string_chars(mut self, chars: usize) -> Self {
        self.string_chars = chars;
        self
    }

    /// With so many bytes of input looked at.
    #[must_use]
    pub const fn with_scan_bytes(mut self, bytes: usize) -> Self {
        self.scan_bytes = bytes;
        self
    }

    /// The name and the range of the first limit that cannot work.
    pub(super) fn problem(&self) -> Option<(&'static str, usize, usize)> {
        let (min, max) = (Self::MIN, Self::MAX);
        [
            ("bytes", self.bytes, min.bytes, max.bytes),
            ("depth", self.depth, min.depth, max.depth),
            ("items", self.items, min.items, max.items),
            ("key_chars", self.key_chars, min.key_chars, max.key_chars),
            (
                "string_chars",
                self.string_chars,
                min.string_chars,
                max.string_chars,
            ),
            (
                "scan_bytes",
                self.scan_bytes,
                min.scan_bytes,
                max.scan_bytes,
            ),
        ]
        .into_iter()
        .find(|(_, is, min, max)| is < min || is > max)
        .map(|(name, _, min, max)| (name, min, max))
    }

    /// The larger of each.
    pub(super) fn larger(self, other: Self) -> Self {
        use std::cmp::max;
        Self {
            bytes: max(self.bytes, other.bytes),
            depth: max(self.depth, other.depth),
            items: max(self.items, other.items),
            key_chars: max(self.key_chars, other.key_chars),
            string_chars: max(self.string_chars, other.string_chars),
            scan_bytes: max(self.scan_bytes, other.scan_bytes),
        }
    }
}

impl Default for PayloadLimits {
    fn default() -> Self {
        Self {
            bytes: 4096,
            depth: 6,
            items: 40,
            key_chars: 64,
            string_chars: 512,
            scan_bytes: 64 << 10,
        }
    }
}
