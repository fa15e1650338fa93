use super::{CallerCredential, PayloadPolicy};

/// How one payload is to be kept: by which policy, of which tool, without which credentials.
#[derive(Clone, Copy, Debug)]
pub struct PayloadContext<'a> {
    policy: &'a PayloadPolicy,
    tool: Option<&'a str>,
    credentials: &'a [CallerCredential],
    original_bytes: Option<u64>,
}

impl<'a> PayloadContext<'a> {
    /// For what the caller sent.
    #[must_use]
    pub fn request(policy: &'a PayloadPolicy) -> Self {
        Self {
            policy,
            tool: None,
            credentials: &[],
            original_bytes: None,
        }
    }

    /// For what the tool answered.
    #[must_use]
    pub fn response(policy: &'a PayloadPolicy) -> Self {
        Self::request(policy)
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
}
