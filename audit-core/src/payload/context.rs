use super::{CallerCredential, PayloadLevel, PayloadLimits, PayloadPolicy};

/// How one payload is to be kept: by which policy, of which tool, without which credentials.
#[derive(Clone, Copy, Debug)]
pub struct PayloadContext<'a> {
    pub(super) policy: &'a PayloadPolicy,
    pub(super) credentials: &'a [CallerCredential],
    limits: PayloadLimits,
    tool: Option<&'a str>,
    original_bytes: Option<u64>,
}

impl<'a> PayloadContext<'a> {
    /// For what the caller sent.
    #[must_use]
    pub fn request(policy: &'a PayloadPolicy) -> Self {
        Self {
            policy,
            credentials: &[],
            limits: policy.request_limits(),
            tool: None,
            original_bytes: None,
        }
    }

    /// For what the tool answered.
    #[must_use]
    pub fn response(policy: &'a PayloadPolicy) -> Self {
        Self {
            limits: policy.response_limits(),
            ..Self::request(policy)
        }
    }

    /// The tool, by which the policy may choose a level.
    #[must_use]
    pub fn tool(mut self, tool: &'a str) -> Self {
        self.tool = Some(tool);
        self
    }

    /// The caller's own credentials, which appear in no output.
    #[must_use]
    pub fn credentials(mut self, credentials: &'a [CallerCredential]) -> Self {
        self.credentials = credentials;
        self
    }

    /// The whole size, where the bytes handed over are only the beginning.
    #[must_use]
    pub fn original_bytes(mut self, bytes: u64) -> Self {
        self.original_bytes = Some(bytes);
        self
    }

    pub(super) fn limits(&self) -> PayloadLimits {
        self.limits
    }

    pub(super) fn level(&self) -> PayloadLevel {
        self.policy.level(self.tool)
    }

    /// The size that came in, where `seen` bytes were handed over.
    pub(super) fn size(&self, seen: usize) -> u64 {
        let seen = u64::try_from(seen).unwrap_or(u64::MAX);
        std::cmp::max(self.original_bytes.unwrap_or(0), seen)
    }
}
