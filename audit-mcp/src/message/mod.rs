//! Messages of JSON-RPC as they pass by: what they are is read, what they carry stays text.

mod batch;
mod id;

use std::borrow::Cow;

pub use batch::Batch;
pub use id::MessageId;

use crate::classify;
use crate::json;

/// The bytes of one frame (a line of stdio, the body of a POST, an event of SSE) as text.
///
/// Bytes that are no UTF-8 are replaced, as some parsers do before they read the message: what
/// they execute has to be on record, too.
#[must_use]
pub fn frame_text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// What one frame holds.
///
/// # Examples
/// ```
/// use audit_mcp::message::{Frame, Message};
///
/// let Frame::Message(Message::Request(request)) =
///     Frame::parse(r#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"x"}}"#)
/// else {
///     unreachable!("it has a method and an id");
/// };
/// assert_eq!(request.method, "tools/call");
/// assert_eq!(request.params, Some(r#"{"name":"x"}"#));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Frame<'a> {
    /// An array of messages.
    Batch(Batch<'a>),
    /// Nothing but white space.
    Blank,
    /// One message.
    Message(Message<'a>),
}

/// One message.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Message<'a> {
    /// No message of JSON-RPC: no JSON, no object, or an object without what any of them has.
    Invalid,
    /// A message that wants no answer.
    Notification(Notification<'a>),
    /// A message that wants one.
    Request(Request<'a>),
    /// The answer.
    Response(Response<'a>),
}

/// A call.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request<'a> {
    /// Its id.
    pub id: MessageId,
    /// Its id as it was spelled, for who has to answer in the other's stead.
    pub raw_id: &'a str,
    /// The method.
    pub method: Cow<'a, str>,
    /// The arguments, as JSON.
    pub params: Option<&'a str>,
    /// Whether it has the form that the protocol asks for. A server may ignore one that has not,
    /// without a word, or execute it all the same.
    pub is_proper: bool,
}

/// A message that wants no answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Notification<'a> {
    /// The method.
    pub method: Cow<'a, str>,
    /// The arguments, as JSON.
    pub params: Option<&'a str>,
}

impl Notification<'_> {
    /// The request that its sender takes back, if this is what it says.
    #[must_use]
    pub fn cancels(&self) -> Option<MessageId> {
        if self.method != "notifications/cancelled" {
            return None;
        }
        let [id] = json::pick(self.params?, ["requestId"]);
        id.map(MessageId::of_json)
    }
}

/// An answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Response<'a> {
    /// The id of the request; `None` if it is `null` or not there, which says that the request
    /// could not be read.
    pub id: Option<MessageId>,
    /// What was answered.
    pub answer: Answer<'a>,
}

/// What was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer<'a> {
    /// An error.
    Error {
        /// Its code, if it has one that is a number.
        code: Option<i64>,
        /// All of it, as JSON.
        error: &'a str,
    },
    /// A result, as JSON.
    Result(&'a str),
}

impl<'a> Answer<'a> {
    /// The result or the error, as JSON.
    #[must_use]
    pub fn json(&self) -> &'a str {
        match self {
            Self::Error { error, .. } => error,
            Self::Result(result) => result,
        }
    }
}

impl<'a> Frame<'a> {
    /// Reads a frame. Whatever it holds, this does not fail.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        let text = text.trim_matches(is_space);
        match text.as_bytes().first() {
            None => Self::Blank,
            Some(b'[') if json::is_json(text) => Self::Batch(Batch { array: text }),
            Some(_) => Self::Message(Message::parse(text).unwrap_or(Message::Invalid)),
        }
    }
}

impl<'a> Message<'a> {
    /// Reads an object; `None` if this is none.
    fn parse(json: &'a str) -> Option<Self> {
        let mut envelope = Envelope::default();
        json::members(json, |key, value| envelope.take(&key, value))?;
        Some(envelope.message())
    }
}

/// The members of an object that make it a message.
#[derive(Default)]
struct Envelope<'a> {
    id: Member<'a>,
    method: Member<'a>,
    params: Member<'a>,
    result: Member<'a>,
    error: Member<'a>,
    version: Member<'a>,
}

/// A value, and whether its key was spelled as it has to be.
#[derive(Clone, Copy, Default)]
struct Member<'a> {
    value: Option<&'a str>,
    is_exact: bool,
}

impl<'a> Envelope<'a> {
    /// Some parsers do not tell `Method` from `method`, so a call could hide in it: such a key
    /// counts where the right one is missing.
    fn take(&mut self, key: &str, value: &'a str) {
        let members = [
            ("id", &mut self.id),
            ("method", &mut self.method),
            ("params", &mut self.params),
            ("result", &mut self.result),
            ("error", &mut self.error),
            ("jsonrpc", &mut self.version),
        ];
        for (name, member) in members {
            let is_exact = key == name;
            if is_exact || (key.eq_ignore_ascii_case(name) && !member.is_exact) {
                *member = Member {
                    value: Some(value),
                    is_exact,
                };
            }
        }
    }

    fn message(&self) -> Message<'a> {
        let method = self.method.value.and_then(json::text);
        match (method, self.id.value, self.answer()) {
            (Some(method), Some(raw_id), _) => {
                let id = MessageId::of_json(raw_id);
                Message::Request(Request {
                    is_proper: self.is_proper(&id),
                    id,
                    raw_id,
                    method,
                    params: self.params.value,
                })
            }
            (Some(method), None, _) => Message::Notification(Notification {
                method,
                params: self.params.value,
            }),
            (None, id, Some(answer)) => Message::Response(Response {
                id: id.filter(|id| *id != "null").map(MessageId::of_json),
                answer,
            }),
            (None, _, None) => Message::Invalid,
        }
    }

    /// An `error` of `null` beside a result is the way of an older JSON-RPC.
    fn answer(&self) -> Option<Answer<'a>> {
        let error = self.error.value.filter(|error| *error != "null");
        match (error, self.result.value) {
            (Some(error), _) => Some(Answer::Error {
                code: classify::code_of(error),
                error,
            }),
            (None, Some(result)) => Some(Answer::Result(result)),
            (None, None) => None,
        }
    }

    fn is_proper(&self, id: &MessageId) -> bool {
        let members = [self.id, self.method, self.version];
        let version = self.version.value.and_then(json::text);
        let begins_with = |byte: char| self.params.value.is_none_or(|it| it.starts_with(byte));
        members.iter().all(|member| member.is_exact)
            && (self.params.is_exact || self.params.value.is_none())
            && version.as_deref() == Some("2.0")
            && begins_with('{')
            && self.result.value.is_none()
            && self.error.value.is_none()
            && id.is_proper()
    }
}

/// The white space of JSON.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Message<'_> {
        match Frame::parse(text) {
            Frame::Message(message) => message,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn request(text: &str) -> Request<'_> {
        match message(text) {
            Message::Request(request) => request,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn response(text: &str) -> Response<'_> {
        match message(text) {
            Message::Response(response) => response,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_request_is_read_in_any_order_of_its_members() {
        let one = r#"{"method":"tools/call","params":{"name":"a"},"jsonrpc":"2.0","id":7}"#;
        let two = r#" {"id":7,"jsonrpc":"2.0","params":{"name":"a"} ,"method":"tools\/call"} "#;
        for text in [one, two] {
            let request = request(text);
            assert_eq!(request.id, MessageId::number(7));
            assert_eq!(request.raw_id, "7");
            assert_eq!(request.method, "tools/call");
            assert_eq!(request.params, Some(r#"{"name":"a"}"#));
            assert!(request.is_proper, "{text}");
        }
    }

    #[test]
    fn a_number_is_no_string_of_the_same_digits() {
        assert_ne!(MessageId::of_json("1"), MessageId::of_json("\"1\""));
        assert_eq!(MessageId::of_json("1"), MessageId::of_json("1.0"));
        assert_eq!(MessageId::of_json("10"), MessageId::of_json("1e1"));
        assert_eq!(MessageId::of_json("0"), MessageId::of_json("-0"));
        assert_eq!(
            MessageId::of_json("\"a\""),
            MessageId::of_json("\"\\u0061\"")
        );
        assert_eq!(MessageId::of_json("\"1\"").to_request_id().as_str(), "1");
    }

    #[test]
    fn a_number_beyond_a_float_keeps_its_digits() {
        let big = "12345678901234567890123";
        let (one, other) = (
            MessageId::of_json(big),
            MessageId::of_json("12345678901234567890124"),
        );
        assert_ne!(one, other);
        assert_eq!(one.to_request_id().as_str(), big);
        assert_ne!(
            MessageId::of_json("9007199254740993"),
            MessageId::of_json("9007199254740992"),
        );
    }

    #[test]
    fn a_huge_id_costs_no_memory() {
        let huge = "x".repeat(1 << 20);
        let (one, other) = (
            MessageId::string(&huge),
            MessageId::string(&format!("{huge}y")),
        );
        assert_ne!(one, other);
        assert_eq!(one, MessageId::string(&huge));
        assert!(one.to_string().len() < 100);
    }

    #[test]
    fn what_a_server_may_ignore_is_not_proper() {
        for text in [
            r#"{"id":1,"method":"a"}"#,
            r#"{"jsonrpc":"1.0","id":1,"method":"a"}"#,
            r#"{"jsonrpc":2.0,"id":1,"method":"a"}"#,
            r#"{"jsonrpc":"2.0","id":null,"method":"a"}"#,
            r#"{"jsonrpc":"2.0","id":1.5,"method":"a"}"#,
            r#"{"jsonrpc":"2.0","id":9007199254740993,"method":"a"}"#,
            r#"{"jsonrpc":"2.0","id":{"a":1},"method":"a"}"#,
            r#"{"jsonrpc":"2.0","id":true,"method":"a"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","params":1}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","params":[]}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","result":1}"#,
            r#"{"jsonrpc":"2.0","id":1,"Method":"a"}"#,
            r#"{"jsonrpc":"2.0","ID":1,"method":"a"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","Params":{}}"#,
        ] {
            assert!(!request(text).is_proper, "{text}");
        }
        for text in [
            r#"{"jsonrpc":"2.0","id":1,"method":"a","_meta":1,"more":[]}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","Method":"b"}"#,
            r#"{"jsonrpc":"2.0","id":"","method":""}"#,
            r#"{"jsonrpc":"2.0","id":1.0,"method":"a","params":{}}"#,
        ] {
            assert!(request(text).is_proper, "{text}");
            assert_ne!(request(text).method, "b", "{text}");
        }
    }

    #[test]
    fn of_two_equal_members_the_last_counts() {
        let text = r#"{"jsonrpc":"2.0","id":15,"method":"a","id":16,"method":"b"}"#;
        let request = request(text);
        assert_eq!((request.raw_id, &*request.method), ("16", "b"));
    }

    #[test]
    fn an_answer_is_a_result_or_an_error() {
        let answered = response(r#"{"result":{"a":1},"jsonrpc":"2.0","id":"x"}"#);
        assert_eq!(answered.id, Some(MessageId::string("x")));
        assert_eq!(answered.answer, Answer::Result(r#"{"a":1}"#));
        let failed = response(r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"m"}}"#);
        let Answer::Error { code, error } = failed.answer else {
            panic!("{failed:?}");
        };
        assert_eq!(
            (code, error),
            (Some(-32601), r#"{"code":-32601,"message":"m"}"#)
        );
        let old = response(r#"{"id":1,"result":null,"error":null}"#);
        assert_eq!(old.answer, Answer::Result("null"));
        let both = response(r#"{"id":1,"result":1,"error":{"code":1}}"#);
        assert!(matches!(both.answer, Answer::Error { .. }));
        for unreadable in [r#"{"id":null,"error":{}}"#, r#"{"error":{"code":-32700}}"#] {
            assert_eq!(response(unreadable).id, None, "{unreadable}");
        }
    }

    #[test]
    fn a_notification_cancels_the_request_that_it_names() {
        let cancels = |params: &str| {
            let text = format!(r#"{{"method":"notifications/cancelled","params":{params}}}"#);
            match message(&text) {
                Message::Notification(notification) => notification.cancels(),
                other => panic!("{text}: {other:?}"),
            }
        };
        assert_eq!(
            cancels(r#"{"requestId":3,"reason":"r"}"#),
            Some(MessageId::number(3))
        );
        assert_eq!(
            cancels(r#"{"requestId":"3"}"#),
            Some(MessageId::string("3"))
        );
        for nothing in ["{}", "[]", "null", "3"] {
            assert_eq!(cancels(nothing), None, "{nothing}");
        }
        let Message::Notification(other) =
            message(r#"{"method":"notifications/progress","params":{"requestId":3}}"#)
        else {
            panic!("it has a method and no id");
        };
        assert_eq!(other.cancels(), None);
    }

    #[test]
    fn what_is_no_message_is_invalid() {
        for text in [
            "x",
            "{",
            "\"a\"",
            "7",
            "null",
            "{}",
            "[",
            "[1",
            "[1] x",
            "{} {}",
            "\u{feff}{}",
            r#"{"jsonrpc":"2.0","id":7}"#,
            r#"{"id":7,"method":5}"#,
            r#"{"id":7,"method":null}"#,
            r#"{"id":7,"method":["tools/call"]}"#,
        ] {
            assert!(matches!(message(text), Message::Invalid), "{text}");
        }
        for text in ["", " ", "\r", "\t \r\n"] {
            assert!(matches!(Frame::parse(text), Frame::Blank), "{text:?}");
        }
    }

    #[test]
    fn a_batch_is_read_message_by_message() {
        let text = r#" [ {"id":1,"method":"a,]}\"[{"} , {"method":"n","params":[1,2]},
            {"id":2,"result":[{"a":","}]}, 5, [{"id":3,"method":"b"}], {} ] "#;
        let Frame::Batch(batch) = Frame::parse(text) else {
            panic!("it is an array");
        };
        let kinds: Vec<_> = batch
            .messages()
            .map(|message| match message {
                Message::Invalid => "invalid".to_owned(),
                Message::Notification(it) => format!("notification {}", it.method),
                Message::Request(it) => format!("request {} {}", it.raw_id, it.method),
                Message::Response(it) => format!("response {}", it.answer.json()),
            })
            .collect();
        assert_eq!(
            kinds,
            [
                "request 1 a,]}\"[{",
                "notification n",
                r#"response [{"a":","}]"#,
                "invalid",
                "invalid",
                "invalid",
            ]
        );
        for empty in ["[]", "[ ]"] {
            let Frame::Batch(batch) = Frame::parse(empty) else {
                panic!("{empty} is an array");
            };
            assert_eq!(batch.messages().count(), 0, "{empty}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_do_not_hide_a_call() {
        let bytes = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"\xff\"}}";
        let text = frame_text(bytes);
        assert_eq!(request(&text).method, "tools/call");
    }
}
