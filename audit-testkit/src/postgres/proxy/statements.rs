use std::collections::HashMap;

use super::message::Message;

/// What a client has prepared and bound, so that it is known what it runs.
#[derive(Debug, Default)]
pub(super) struct Statements {
    prepared: HashMap<String, String>,
    /// Portals, by name.
    bound: HashMap<String, String>,
    executed: Vec<String>,
}

impl Statements {
    /// The statements that are complete with this message of the client: a query, or what was
    /// executed since the sync before this one.
    pub(super) fn ended_by(&mut self, message: &Message) -> Vec<String> {
        let mut texts = message.texts().map(str::to_owned);
        let mut next = || texts.next().unwrap_or_default();
        match message.kind() {
            b'Q' => return vec![next()],
            b'P' => {
                self.prepared.insert(next(), next());
            }
            b'B' => {
                let (portal, statement) = (next(), next());
                let text = self.prepared.get(&statement).cloned().unwrap_or_default();
                self.bound.insert(portal, text);
            }
            b'E' => {
                let text = self.bound.get(&next()).cloned().unwrap_or_default();
                self.executed.push(text);
            }
            b'S' => return std::mem::take(&mut self.executed),
            _ => {}
        }
        Vec::new()
    }
}
