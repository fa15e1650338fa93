mod answer;
mod sse;
mod stand;

pub(crate) use answer::Answer;
pub(crate) use sse::Listener;
pub(crate) use stand::Stand;
