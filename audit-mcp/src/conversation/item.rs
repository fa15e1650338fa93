//! Messages of a frame, whichever way they were read.

use std::borrow::Cow;

use crate::message::{Answer, Frame, Message, MessageId, Notification};
use crate::scan::{Carried, Found, Scanner};

/// What matters of one message.
#[derive(Debug)]
pub(super) enum Item<'a> {
    Answer(Answered<'a>),
    Call(Call<'a>),
    /// A notification that takes a request back.
    Cancel(MessageId),
    Invalid,
    /// A message that wants no answer, and whose method is that of a call.
    MisplacedCall {
        method: Cow<'a, str>,
        params: Option<Part<'a>>,
    },
    /// Nothing that the record is about.
    Other,
}

#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) id: MessageId,
    pub(super) raw_id: Cow<'a, str>,
    pub(super) method: Cow<'a, str>,
    pub(super) params: Option<Part<'a>>,
    pub(super) is_proper: bool,
}

#[derive(Debug)]
pub(super) struct Answered<'a> {
    pub(super) id: Option<MessageId>,
    /// For an error: its code, if there is one.
    pub(super) error: Option<Option<i64>>,
    pub(super) part: Part<'a>,
}

/// What a message carries: all of it, or the beginning of what was too long to be held.
#[derive(Debug)]
pub(super) struct Part<'a> {
    /// What is kept of it.
    pub(super) json: Cow<'a, str>,
    /// How large it was.
    pub(super) bytes: u64,
    /// JSON that says what there is to know of it.
    pub(super) telling: Cow<'a, str>,
}

impl<'a> Part<'a> {
    pub(super) fn whole(json: &'a str) -> Self {
        Self {
            json: Cow::Borrowed(json),
            bytes: u64::try_from(json.len()).unwrap_or(u64::MAX),
            telling: Cow::Borrowed(json),
        }
    }

    fn carried(carried: &Carried) -> Self {
        Self {
            json: Cow::Owned(carried.beginning.clone()),
            bytes: carried.bytes,
            telling: Cow::Owned(carried.telling.clone()),
        }
    }
}

impl<'a> Item<'a> {
    pub(super) fn of_message(message: Message<'a>, is_alone: bool) -> Self {
        match message {
            Message::Invalid => Self::Invalid,
            Message::Notification(notification) => {
                let params = notification.params.map(Part::whole);
                Self::of_notification(notification.cancels(), notification.method, params)
            }
            Message::Request(request) => Self::Call(Call {
                id: request.id,
                raw_id: Cow::Borrowed(request.raw_id),
                method: request.method,
                params: request.params.map(Part::whole),
                is_proper: request.is_proper && is_alone,
            }),
            Message::Response(response) => Self::Answer(Answered {
                id: response.id,
                error: match response.answer {
                    Answer::Error { code, .. } => Some(code),
                    Answer::Result(_) => None,
                },
                part: Part::whole(response.answer.json()),
            }),
        }
    }

    /// `is_proper` where the message stood alone and nothing is known to be wrong with it.
    pub(super) fn of_found(found: &Found, is_proper: bool) -> Item<'static> {
        let method = found.method().map(Cow::into_owned);
        match (method, found.id(), found.answer()) {
            (Some(method), Some(id), _) => Item::Call(Call {
                id,
                raw_id: Cow::Owned(found.raw_id().unwrap_or("null").to_owned()),
                method: Cow::Owned(method),
                params: found.params().map(Part::carried),
                is_proper,
            }),
            (Some(method), None, _) => {
                let telling = found.params().map(|params| params.telling.as_str());
                let notification = Notification {
                    method: Cow::Borrowed(&method),
                    params: telling,
                };
                let cancels = notification.cancels();
                let params = found.params().map(Part::carried);
                Item::of_notification(cancels, Cow::Owned(method), params)
            }
            (None, id, Some((answer, carried))) => Item::Answer(Answered {
                id: id.filter(|_| found.raw_id() != Some("null")),
                error: match answer {
                    Answer::Error { code, .. } => Some(code),
                    Answer::Result(_) => None,
                },
                part: Part::carried(carried),
            }),
            (None, _, None) => Item::Invalid,
        }
    }

    fn of_notification(
        cancels: Option<MessageId>,
        method: Cow<'a, str>,
        params: Option<Part<'a>>,
    ) -> Self {
        match cancels {
            Some(id) => Self::Cancel(id),
            None if method.starts_with("notifications/") => Self::Other,
            None => Self::MisplacedCall { method, params },
        }
    }
}

/// The messages of a frame, one by one. It can be gone through twice.
#[derive(Clone, Copy, Debug)]
pub(super) enum Items<'a> {
    /// What a strict parser does not take. What a lenient one may find in it is there all the same.
    Broken {
        text: &'a str,
        keep: usize,
    },
    Frame(&'a Frame<'a>),
    Found(&'a Found),
}

impl<'a> Items<'a> {
    pub(super) fn iter(self) -> Box<dyn Iterator<Item = Item<'a>> + Send + 'a> {
        match self {
            Self::Broken { text, keep } => Box::new(broken(text, keep)),
            Self::Frame(Frame::Blank) => Box::new(std::iter::empty()),
            Self::Frame(Frame::Batch(batch)) => {
                Box::new(batch.messages().map(|it| Item::of_message(it, false)))
            }
            Self::Frame(Frame::Message(message)) => {
                Box::new(std::iter::once(Item::of_message(message.clone(), true)))
            }
            Self::Found(found) => {
                let item: Item<'a> = Item::of_found(found, found.is_plain());
                Box::new(std::iter::once(item))
            }
        }
    }

    /// Whether the caller expects an array of answers.
    pub(super) fn is_batch(self) -> bool {
        matches!(self, Self::Frame(Frame::Batch(_)))
    }
}

fn broken<'a>(text: &'a str, keep: usize) -> impl Iterator<Item = Item<'a>> + Send {
    let mut scanner = Scanner::new(keep);
    let mut rest = text.as_bytes();
    let mut is_empty = true;
    std::iter::from_fn(move || {
        loop {
            let (n_bytes, found) = scanner.feed(rest);
            rest = &rest[n_bytes..];
            let item: Option<Item<'a>> = found.map(|found| Item::of_found(&found, false));
            match item {
                Some(Item::Invalid) => {}
                Some(item) => {
                    is_empty = false;
                    return Some(item);
                }
                // It is on record as what it is, once.
                None if rest.is_empty() => {
                    return std::mem::replace(&mut is_empty, false).then_some(Item::Invalid);
                }
                None => {}
            }
        }
    })
}
