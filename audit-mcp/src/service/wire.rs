//! Typed requests and answers in the form in which they travel: the classifier and the summaries
//! read that, whoever made it.

use rmcp::model::{
    CallToolResponse, CompleteResult, CustomResult, DiscoverResult, EmptyResult, GetPromptResponse,
    GetSkillResult, GetTaskResult, InitializeResult, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListSkillsResult, ListToolsResult,
    ReadResourceResponse, ServerResult,
};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// An answer of a handler's method.
pub(super) trait Answer {
    fn wire(&self) -> Option<Box<RawValue>>;
}

/// What serializes; `None` if it does not, which no type of the protocol does.
pub(super) fn wire(value: &impl Serialize) -> Option<Box<RawValue>> {
    to_raw_value(value).ok()
}

macro_rules! answers {
    ($($result:ty),+ $(,)?) => {
        $(impl Answer for $result {
            fn wire(&self) -> Option<Box<RawValue>> {
                wire(self)
            }
        })+
    };
}

answers!(
    CompleteResult,
    CustomResult,
    DiscoverResult,
    GetSkillResult,
    GetTaskResult,
    InitializeResult,
    ListPromptsResult,
    ListResourceTemplatesResult,
    ListResourcesResult,
    ListSkillsResult,
    ListToolsResult,
);

impl Answer for () {
    fn wire(&self) -> Option<Box<RawValue>> {
        wire(&EmptyResult {})
    }
}

/// Answers of which there are several kinds; one that is not known here is copied.
macro_rules! kinds {
    ($($response:ident: $($kind:ident),+;)+) => {
        $(impl Answer for $response {
            fn wire(&self) -> Option<Box<RawValue>> {
                match self {
                    $(Self::$kind(result) => wire(result),)+
                    other => wire(&ServerResult::from(other.clone())),
                }
            }
        })+
    };
}

kinds! {
    CallToolResponse: Complete, InputRequired, Task;
    GetPromptResponse: Complete, InputRequired;
    ReadResourceResponse: Complete, InputRequired;
}
