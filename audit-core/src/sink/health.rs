use std::borrow::Cow;

/// Whether a sink would take events now, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// The answer for a readiness probe.
    pub readiness: Readiness,
    /// Why it is not [`Readiness::Ready`]; holds neither payloads nor keys.
    pub reason: Option<Cow<'static, str>>,
}

/// The answer for a readiness probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Readiness {
    /// Appends work.
    Ready,
    /// Appends work, but somebody should look: room or time runs out.
    Degraded,
    /// Appends fail.
    Unavailable,
}

impl Health {
    /// Appends work.
    #[must_use]
    pub const fn ready() -> Self {
        Self {
            readiness: Readiness::Ready,
            reason: None,
        }
    }

    /// Appends work, but somebody should look.
    #[must_use]
    pub fn degraded(reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            readiness: Readiness::Degraded,
            reason: Some(reason.into()),
        }
    }

    /// Appends fail.
    #[must_use]
    pub fn unavailable(reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            readiness: Readiness::Unavailable,
            reason: Some(reason.into()),
        }
    }

    /// Whether a gateway that needs this sink may be sent calls.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.readiness < Readiness::Unavailable
    }
}
