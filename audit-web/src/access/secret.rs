use std::fmt;

use super::digest::Digest;

/// What a holder presents: 256 random bits behind a prefix by which scanners know it.
///
/// It is shown to nobody but the one who asked for it, once.
#[derive(Clone)]
pub struct Secret(Box<str>);

impl Secret {
    /// How every secret begins.
    pub const PREFIX: &'static str = "audit_";

    /// The most characters of a text that is worth looking at.
    pub(crate) const MAX_CHARS: usize = Self::PREFIX.len() + 64;

    /// A secret that nobody knows yet, by a generator that the operating system seeds.
    #[must_use]
    pub fn random() -> Self {
        let bits: [u8; 32] = rand::random();
        let digits = bits.iter().map(|byte| format!("{byte:02x}"));
        Self(
            digits
                .fold(Self::PREFIX.to_owned(), |text, digit| text + &digit)
                .into(),
        )
    }

    /// What the holder has to be told.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
