use crate::Glob;
use crate::event::{Method, Outcome, ToolName};
use crate::sink::Durability;

/// One rule of an [`AuditPolicy`](super::AuditPolicy): which calls it is for, and what it says of
/// them.
///
/// Several tools are alternatives, and so are several methods and several outcomes; a rule that
/// names none of a kind is for all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct PolicyRule {
    tools: Vec<Glob>,
    methods: Vec<Glob>,
    outcomes: Vec<Outcome>,
    durability: Option<Durability>,
    write_ahead: bool,
}

impl PolicyRule {
    /// A rule for every call, which says nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Is for calls of tools of this name. A call without a tool has none.
    pub fn tool(mut self, name: Glob) -> Self {
        self.tools.push(name);
        self
    }

    /// Is for calls of this method.
    pub fn method(mut self, name: Glob) -> Self {
        self.methods.push(name);
        self
    }

    /// Is for calls with this outcome.
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcomes.push(outcome);
        self
    }

    /// What their callers wait for; the policy's default, if nothing is said.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = Some(durability);
        self
    }

    /// Whether the attempt is durable before the tool runs. That is decided before there is an
    /// outcome, so a rule that names outcomes cannot say it.
    pub fn write_ahead(mut self, write_ahead: bool) -> Self {
        self.write_ahead = write_ahead;
        self
    }

    pub(super) fn is_for(&self, method: &Method, tool: Option<&ToolName>) -> bool {
        let is_any = |globs: &[Glob], name: Option<&str>| {
            globs.is_empty() || name.is_some_and(|name| globs.iter().any(|glob| glob.matches(name)))
        };
        is_any(&self.methods, Some(method.as_str()))
            && is_any(&self.tools, tool.map(ToolName::as_str))
    }

    pub(super) fn is_of(&self, outcome: Outcome) -> bool {
        self.is_of_any_outcome() || self.outcomes.contains(&outcome)
    }

    pub(super) fn is_of_any_outcome(&self) -> bool {
        self.outcomes.is_empty()
    }

    pub(super) fn asks_for(&self) -> Option<Durability> {
        self.durability
    }

    pub(super) fn is_write_ahead(&self) -> bool {
        self.write_ahead
    }

    /// Why the rule cannot work, to stand behind its name.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let is_too_late = self.write_ahead && !self.is_of_any_outcome();
        is_too_late.then_some(
            "asks to write ahead for some outcomes, which nobody knows before the tool has run: \
             leave out its outcomes, or write a rule of its own for them",
        )
    }
}
