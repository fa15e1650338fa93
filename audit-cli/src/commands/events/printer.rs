use audit_core::AuditEvent;
use audit_core::event::{EventMetadata, EventSummary};
use audit_export::{Cell as Value, Column};

use crate::failure::Failure;
use crate::output::{Cell, Format, Narrow, Paint, Table, visible, visible_json, visible_lines};

/// Prints events, a batch at a time, as the user wants them.
pub(crate) struct Printer {
    format: Format,
    /// None: all that an event has, or what fits into a line of a table.
    fields: Vec<Column>,
    paint: Paint,
    has_begun: bool,
}

/// The columns of [`cells`].
pub(crate) const HEADINGS: &[&str] = &[
    "TIME (UTC)",
    "KEY",
    "ROLE",
    "METHOD",
    "TOOL",
    "OUTCOME",
    "STATUS",
    "MS",
    "ID",
];

/// An id is whole, so that it can be copied into `audit show`.
pub(crate) const NARROW: Narrow = Narrow {
    whole: &["OUTCOME", "STATUS", "MS", "ID"],
    given_up: &["ROLE", "METHOD", "STATUS", "MS", "KEY"],
};

impl Printer {
    pub(crate) fn new(format: Format, fields: Vec<Column>) -> Self {
        Self {
            format,
            fields,
            paint: Paint::fitting(),
            has_begun: false,
        }
    }

    /// Whether whole events are needed: a table shows what a list has.
    pub(crate) fn wants_payloads(&self) -> bool {
        !self.is_for_people() || !self.fields.is_empty()
    }

    pub(crate) fn is_for_people(&self) -> bool {
        self.format == Format::Table
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Whole events, as the next part of the result.
    pub(crate) fn events(&mut self, events: &[AuditEvent]) -> Result<String, Failure> {
        match self.format {
            Format::Csv => Ok(self.csv(events)),
            Format::Json | Format::Jsonl => {
                let mut text = String::new();
                for event in events {
                    text.push_str(self.before_object());
                    text.push_str(&visible_json(&self.object(event)?));
                    if self.format == Format::Jsonl {
                        text.push('\n');
                    }
                }
                Ok(text)
            }
            Format::Table if self.fields.is_empty() => {
                Ok(self.table(events.iter().map(|event| cells(event))))
            }
            Format::Table => {
                let names: Vec<String> = self.fields.iter().map(|it| heading(*it)).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let mut table = Table::new(self.paint, &names).narrow(Narrow {
                    given_up: &[],
                    ..NARROW
                });
                for event in events {
                    table.row(self.fields.iter().map(|column| drawn(column.cell(event))));
                }
                Ok(table_or_nothing(table, events.is_empty()))
            }
        }
    }

    /// Events without payloads, as a table.
    pub(crate) fn summaries(&self, events: &[EventSummary]) -> String {
        self.table(events.iter().map(|event| cells(event)))
    }

    /// An event in a line of its own, for who watches a terminal.
    pub(crate) fn line(&self, event: &AuditEvent) -> String {
        let text = |text: Option<&str>| visible(text.unwrap_or("-")).into_owned();
        let parts = match self.fields.is_empty() {
            true => vec![
                self.paint
                    .dim(&event.ts.to_datetime().format("%H:%M:%S%.3f").to_string()),
                text(event.api_key_id.as_ref().map(AsRef::as_ref)),
                text(Some(event.method.as_str())),
                text(event.tool_name.as_ref().map(AsRef::as_ref)),
                self.paint.outcome(event.outcome),
                format!("{:.1} ms", event.latency_ms.as_millis()),
                self.paint.dim(&event.id.to_string()),
            ],
            false => {
                let values = self.fields.iter().map(|column| match column.cell(event) {
                    Value::Json(value) | Value::Text(value) => text(Some(&value)),
                    Value::Number(number) => number,
                    _ => text(None),
                });
                values.collect()
            }
        };
        parts.join("  ") + "\n"
    }

    /// What stands behind the last event.
    pub(crate) fn end(&self) -> &'static str {
        match (self.format, self.has_begun) {
            (Format::Json, true) => "]\n",
            (Format::Json, false) => "[]\n",
            _ => "",
        }
    }

    fn before_object(&mut self) -> &'static str {
        let has_begun = std::mem::replace(&mut self.has_begun, true);
        match (self.format, has_begun) {
            (Format::Json, false) => "[",
            (Format::Json, true) => ",\n",
            _ => "",
        }
    }

    fn object(&self, event: &AuditEvent) -> Result<String, Failure> {
        if self.fields.is_empty() {
            return Ok(event.to_json());
        }
        let mut members = Vec::new();
        for column in &self.fields {
            let value = match column.cell(event) {
                Value::Json(json) => json.into_owned(),
                Value::Number(number) => number,
                Value::Text(text) => serde_json::to_string(&text)
                    .map_err(|error| Failure::because("an event cannot be printed", &error))?,
                _ => "null".to_owned(),
            };
            members.push(format!("\"{}\":{value}", column.name()));
        }
        Ok(format!("{{{}}}", members.join(",")))
    }

    fn csv(&mut self, events: &[AuditEvent]) -> String {
        let columns = match self.fields.is_empty() {
            true => Column::ALL,
            false => &self.fields,
        };
        let mut text = Vec::new();
        if !self.has_begun {
            Column::write_csv_header(columns, &mut text);
        }
        self.has_begun = true;
        for event in events {
            Column::write_csv(columns, event, &mut text);
        }
        visible_lines(&String::from_utf8_lossy(&text))
    }

    fn table(&self, rows: impl Iterator<Item = [Cell; 9]>) -> String {
        let mut table = Table::new(self.paint, HEADINGS).narrow(NARROW);
        let mut is_empty = true;
        for row in rows {
            is_empty = false;
            table.row(row);
        }
        table_or_nothing(table, is_empty)
    }
}

fn table_or_nothing(table: Table, is_empty: bool) -> String {
    match is_empty {
        true => String::new(),
        false => table.into_lines(),
    }
}

/// A heading as those of the other tables.
fn heading(column: Column) -> String {
    column.name().to_uppercase().replace('_', " ")
}

fn drawn(value: Value<'_>) -> Cell {
    match value {
        Value::Json(text) | Value::Text(text) => Cell::Text(text.into_owned()),
        Value::Number(number) => Cell::Number(number),
        _ => Cell::Empty,
    }
}

/// An event in one row.
pub(crate) fn cells(event: &EventMetadata) -> [Cell; 9] {
    [
        Cell::Text(
            event
                .ts
                .to_datetime()
                .format("%Y-%m-%d %H:%M:%S%.3f")
                .to_string(),
        ),
        Cell::of(event.api_key_id.as_ref()),
        Cell::Text(event.role.to_string()),
        Cell::Text(event.method.to_string()),
        Cell::of(event.tool_name.as_ref()),
        Cell::Outcome(event.outcome),
        Cell::Number(event.status_code.to_string()),
        Cell::Number(format!("{:.1}", event.latency_ms.as_millis())),
        Cell::Text(event.id.to_string()),
    ]
}
