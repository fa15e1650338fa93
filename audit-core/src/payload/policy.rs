use super::PayloadLimits;

/// The operator's rules.
#[derive(Clone, Debug, Default)]
pub struct PayloadPolicy {
    limits: PayloadLimits,
}

impl PayloadPolicy {
    /// The largest limits of the policy, request and response alike.
    #[must_use]
    pub fn limits(&self) -> PayloadLimits {
        self.limits
    }
}
