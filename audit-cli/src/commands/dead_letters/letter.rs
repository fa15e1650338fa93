use audit_core::event::{EventId, Timestamp};
use serde_json::json;
use serde_json::value::RawValue;

use crate::output::{self, Cell, Format, Narrow, Paint, Table, visible_json};

/// A dead letter, wherever it is kept.
pub(super) struct Letter {
    /// Where: the store, or a file of the spool.
    pub(super) place: String,
    pub(super) number: i64,
    pub(super) event_id: Option<EventId>,
    pub(super) reason: String,
    pub(super) set_aside_at: Timestamp,
    /// The event, where one can be read.
    pub(super) event: Option<String>,
}

/// The letters in a format.
pub(super) fn shown(letters: &[Letter], format: Format) -> String {
    match format {
        Format::Csv => csv(letters),
        Format::Table => table(letters),
        format => output::objects(format, letters.iter().map(Letter::object)),
    }
}

impl Letter {
    fn id(&self) -> Option<String> {
        self.event_id.map(|id| id.to_string())
    }

    fn object(&self) -> String {
        // A row of the predecessor is text of another form.
        let event = self.event.as_deref();
        let event = event.and_then(|text| serde_json::from_str::<&RawValue>(text).ok());
        let object = json!({
            "place": self.place,
            "number": self.number,
            "event_id": self.id(),
            "reason": self.reason,
            "set_aside_at": self.set_aside_at.to_string(),
            "event": event,
        });
        visible_json(&object.to_string()).into_owned()
    }
}

fn csv(letters: &[Letter]) -> String {
    let mut text = String::from("place,number,event_id,set_aside_at,reason,event\n");
    for letter in letters {
        let cells = [
            output::csv_cell(&letter.place),
            letter.number.to_string(),
            letter.id().unwrap_or_default(),
            letter.set_aside_at.to_string(),
            output::csv_cell(&letter.reason),
            output::csv_cell(letter.event.as_deref().unwrap_or_default()),
        ];
        text.push_str(&(cells.join(",") + "\n"));
    }
    text
}

fn table(letters: &[Letter]) -> String {
    if letters.is_empty() {
        return String::new();
    }
    let headings = ["WHERE", "NUMBER", "SET ASIDE (UTC)", "EVENT", "REASON"];
    let mut table = Table::new(Paint::fitting(), &headings).narrow(Narrow {
        whole: &["NUMBER", "EVENT"],
        given_up: &["SET ASIDE (UTC)"],
    });
    for letter in letters {
        let set_aside_at = letter.set_aside_at.to_datetime();
        table.row([
            Cell::Text(letter.place.clone()),
            Cell::Number(letter.number.to_string()),
            Cell::Text(set_aside_at.format("%Y-%m-%d %H:%M:%S").to_string()),
            letter.id().map_or(Cell::Empty, Cell::Text),
            Cell::Text(letter.reason.clone()),
        ]);
    }
    table.into_lines()
}
