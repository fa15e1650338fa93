use std::borrow::Cow;

use crate::json;
use crate::message::{Answer, MessageId};

/// A message that was found: what is kept of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(super) is_in_array: bool,
    /// Whether a key of it is spelled in another case.
    pub(super) is_alike: bool,
    pub(super) id: Option<String>,
    pub(super) method: Option<String>,
    pub(super) params: Option<Carried>,
    pub(super) result: Option<Carried>,
    pub(super) error: Option<Carried>,
}

/// The arguments, the result or the error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Carried {
    /// The first bytes, as text.
    pub(crate) beginning: String,
    /// How many there were.
    pub(crate) bytes: u64,
    /// An object of the few members that say more of it; not more JSON than its sender wrote.
    pub(crate) telling: String,
}

impl Found {
    pub(crate) fn method(&self) -> Option<Cow<'_, str>> {
        json::text(self.method.as_deref()?)
    }

    pub(crate) fn id(&self) -> Option<MessageId> {
        self.id.as_deref().map(MessageId::of_json)
    }

    pub(crate) fn raw_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Whether it is no part of a batch, and its keys are spelled as they have to be.
    pub(crate) fn is_plain(&self) -> bool {
        !self.is_in_array && !self.is_alike
    }

    /// Some parsers do not tell `Method` from `method`: such a key counts where the right one is
    /// missing.
    pub(super) fn take_alike(
        &mut self,
        key: &str,
        value: impl FnOnce() -> Option<String>,
        carried: impl FnOnce() -> Option<Carried>,
    ) {
        let (word, part) = match key.to_ascii_lowercase().as_str() {
            "id" => (Some(&mut self.id), None),
            "method" => (Some(&mut self.method), None),
            "params" => (None, Some(&mut self.params)),
            _ => return,
        };
        self.is_alike = true;
        if let Some(word) = word.filter(|word| word.is_none()) {
            *word = value();
        }
        if let Some(part) = part.filter(|part| part.is_none()) {
            *part = carried();
        }
    }

    pub(crate) fn params(&self) -> Option<&Carried> {
        self.params.as_ref()
    }

    /// The answer, by what tells of it, and all that is kept of it.
    pub(crate) fn answer(&self) -> Option<(Answer<'_>, &Carried)> {
        let is_null = |carried: &&Carried| carried.beginning == "null";
        if let Some(carried) = self.error.as_ref().filter(|error| !is_null(error)) {
            let error = carried.telling.as_str();
            let code = crate::classify::code_of(error);
            return Some((Answer::Error { code, error }, carried));
        }
        let carried = self.result.as_ref()?;
        Some((Answer::Result(&carried.telling), carried))
    }
}
