mod answer;
mod stand;

pub(crate) use answer::Answer;
pub(crate) use stand::Stand;
