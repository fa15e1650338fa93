use audit_core::event::{EventDraft, Method, Role};
use audit_core::payload::CallerCredential;

/// Who sends a message, as far as the gateway knows: what every record of its calls begins with.
///
/// # Examples
/// ```
/// use audit_core::event::{ApiKeyId, Client, ClientAddress, Decision};
/// use audit_core::payload::CallerCredential;
/// use audit_mcp::conversation::Origin;
///
/// let key = ApiKeyId::new("k_7f3")?;
/// let address = ClientAddress::new("10.0.0.1")?;
/// let origin = Origin::new()
///     .draft(|draft| draft.api_key_id(key).decision(Decision::allowed()))
///     .draft(|draft| draft.client(Client::new().address(address)))
///     .credential(CallerCredential::new("what the caller presented"));
/// # Ok::<(), audit_core::event::InvalidField>(())
/// ```
#[derive(Clone, Debug)]
pub struct Origin {
    draft: EventDraft,
    credentials: Vec<CallerCredential>,
}

impl Origin {
    /// Somebody of whom nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self {
            // The method comes with the message.
            draft: EventDraft::new(Method::tools_call()),
            credentials: Vec::new(),
        }
    }

    /// The server, as the one who asks the client for something: its role is `server`.
    #[must_use]
    pub fn server() -> Self {
        Self::new().draft(|draft| draft.role(Role::lossy("server")))
    }

    /// Adds what is known: the key, the role, the session, the upstream, the decision, the address.
    /// Method, request id and tool come from the message, and so do the claims of name and version,
    /// which go before those that stand here.
    #[must_use]
    pub fn draft(mut self, change: impl FnOnce(EventDraft) -> EventDraft) -> Self {
        self.draft = change(self.draft);
        self
    }

    /// A credential that was presented: it is in no record, wherever it was repeated.
    #[must_use]
    pub fn credential(mut self, credential: CallerCredential) -> Self {
        self.credentials.push(credential.clone());
        self.draft = self.draft.credential(credential);
        self
    }

    pub(super) fn begin(&self) -> EventDraft {
        self.draft.clone()
    }

    pub(super) fn credentials(&self) -> &[CallerCredential] {
        &self.credentials
    }
}

impl Default for Origin {
    fn default() -> Self {
        Self::new()
    }
}
