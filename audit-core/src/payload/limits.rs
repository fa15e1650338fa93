/// How much of a payload is kept, and how much of it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PayloadLimits {
    /// Bytes of canonical JSON.
    pub bytes: usize,
}

impl Default for PayloadLimits {
    fn default() -> Self {
        Self { bytes: 4096 }
    }
}
