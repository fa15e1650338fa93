//! Which values of a tape are taken away: by their key, or by a name that stands beside them.

use super::meaning::{Meaning, Role};
use super::{Frame, Tape, schema};
use crate::payload::assignment::is_path;
use crate::payload::marker;
use crate::payload::node::{Kind, Node};
use crate::payload::secret::{KeyRule, Reach, Secret};

/// Longer names than this are not taken apart in pairs.
const MAX_PAIR_NAME: usize = 128;

impl Tape<'_> {
    /// Applies to the newest node what was expected of it.
    #[inline]
    pub(super) fn settle(&mut self) {
        // Of most members nothing is expected, and the next key says what is expected then.
        let Meaning { secret, role } = self.expected;
        if secret.is_none() && role == Role::Other && self.in_object() == Some(true) {
            return;
        }
        self.settle_expected();
    }

    fn settle_expected(&mut self) {
        let node = self.nodes.len() - 1;
        let expected = std::mem::take(&mut self.expected);
        if let Some(secret) = expected.secret {
            self.redact(node, secret);
        }
        self.pair(node, expected.role);
    }

    /// Ties a name to the value beside it.
    pub(super) fn pair(&mut self, node: usize, role: Role) {
        let Some(frame) = self.frames.last() else {
            return;
        };
        let (is_object, items) = (frame.is_object, frame.items);
        let in_pairs = frame.role == Role::Pairs;
        if is_object {
            match role {
                Role::Name => self.named(node),
                Role::Value => {
                    self.values.push(node);
                    if let Some(secret) = frame.pair {
                        self.redact(node, secret);
                    }
                }
                Role::FieldList
                | Role::Other
                | Role::Pairs
                | Role::Properties
                | Role::Schema
                | Role::SchemaTypes => {}
            }
        } else if frame.role != Role::FieldList {
            if items == 1 {
                self.named(node);
            } else if items == 2 && frame.pair.is_some() {
                self.values.push(node);
            }
            // `["--password", "…"]`: a flag names the argument after it.
            let text = self.nodes[node].text;
            let is_flag = self.nodes[node].kind == Kind::String
                && self.arena[text.start()..text.end()].starts_with('-');
            let is_header = in_pairs && items % 2 == 1;
            if is_flag || is_header {
                self.expected.secret = self.secret_named(node);
            }
        }
    }

    fn secret_named(&mut self, node: usize) -> Option<Secret> {
        let Node { kind, text, .. } = self.nodes[node];
        if kind != Kind::String || text.end() - text.start() > MAX_PAIR_NAME {
            return None;
        }
        let name = &self.arena[text.start()..text.end()];
        let secret = self.rules.secret_named(name, &mut self.keys)?;
        (!marker::is_in(name)).then_some(secret)
    }

    fn named(&mut self, node: usize) {
        let Some(secret) = self.secret_named(node) else {
            return;
        };
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        frame.pair = Some(secret);
        if frame.is_object {
            let first = frame.values;
            self.redact_values(first, secret);
        }
    }

    /// Settles what can only be known at the end of a container.
    pub(super) fn leave(&mut self, frame: &Frame, is_cut: bool) {
        if self.values.len() == frame.values && frame.schema.is_none() {
            return;
        }
        let secret = if !frame.is_object {
            frame.pair.filter(|_| frame.items == 2)
        } else if is_cut && !frame.named {
            // The name may stand in what was not read.
            Some(Secret {
                rule: KeyRule::UnpairedValue,
                reach: Reach::Text,
            })
        } else {
            None
        };
        if let Some(secret) = secret {
            self.redact_values(frame.values, secret);
        }
        self.values.truncate(frame.values);
        if let Some(schema) = frame.schema
            && !frame.is_schema
        {
            self.nodes[frame.node].rule = Some(schema.rule);
            self.n_respelled += 1;
        }
    }

    /// Takes the values from the one at `first` on away.
    fn redact_values(&mut self, first: usize, secret: Secret) {
        for i in first..self.values.len() {
            self.redact(self.values[i], secret);
        }
    }

    /// Takes a value away, if it is of the kind that the rule is about.
    fn redact(&mut self, node: usize, secret: Secret) {
        let Node {
            kind, text, rule, ..
        } = self.nodes[node];
        let text = &self.arena[text.start()..text.end()];
        let applies = match kind {
            Kind::Array | Kind::Closed | Kind::Object => true,
            Kind::False | Kind::Key | Kind::Null | Kind::True => secret.rule == KeyRule::Path,
            Kind::Number => !matches!(secret.reach, Reach::NotPath | Reach::Text),
            Kind::String => reaches(text, secret),
        };
        let is_mark = self.marks_are_ours
            && kind == Kind::String
            && marker::leading(text) == Some(text.len());
        if kind == Kind::String
            && !applies
            && schema::defines(secret.reach)
            && let Some(frame) = self.frames.last_mut()
        {
            frame.is_schema = true;
        }
        if applies && rule.is_none() && !is_mark {
            self.nodes[node].rule = Some(secret.rule);
            self.n_respelled += 1;
        }
    }
}

pub(super) fn by_path() -> Secret {
    Secret {
        rule: KeyRule::Path,
        reach: Reach::Any,
    }
}

fn reaches(text: &str, secret: Secret) -> bool {
    let is_none = matches!(text, "" | "true" | "false" | "null" | "none" | "None");
    let is_fetch_mode =
        secret.rule == KeyRule::Credential && matches!(text, "include" | "omit" | "same-origin");
    match secret.reach {
        _ if secret.rule == KeyRule::Path => true,
        Reach::Any => !text.is_empty() && !is_fetch_mode,
        Reach::NotPath => !is_none && !is_path(text.as_bytes()),
        Reach::Text => !is_none && !is_fetch_mode,
        Reach::SchemaFormat | Reach::SchemaReference | Reach::SchemaType => {
            schema::reaches(text, secret.reach)
        }
    }
}
