use audit_core::event::Outcome;
use comfy_table::{Attribute, CellAlignment, Color, ContentArrangement};

use super::{Paint, visible};

/// Columns under headings, as wide as the terminal lets them be.
pub(crate) struct Table(comfy_table::Table);

/// What stands in a field of a table.
pub(crate) enum Cell {
    /// Nothing.
    Empty,
    /// A number, to the right.
    Number(String),
    /// An outcome, in its color.
    Outcome(Outcome),
    /// Text from outside: shown so that a terminal does not obey it.
    Text(String),
}

impl Table {
    pub(crate) fn new(paint: Paint, headings: &[&str]) -> Self {
        let mut table = comfy_table::Table::new();
        table
            .load_style(comfy_table::presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic);
        if !paint.is_on() {
            // The width of the terminal holds all the same.
            if let Some(width) = table.width() {
                table.set_width(width);
            }
            table.force_no_tty();
        } else {
            table.enforce_styling();
        }
        let heading = |text| comfy_table::Cell::new(text).add_attribute(Attribute::Bold);
        table.set_header(headings.iter().map(heading));
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        Self(table)
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.0.add_row(cells.into_iter().map(Cell::drawn));
    }

    /// The lines, each with its end, without blanks there.
    pub(crate) fn to_lines(&self) -> String {
        let mut lines = String::new();
        for line in self.0.lines() {
            lines.push_str(line.trim_end());
            lines.push('\n');
        }
        lines
    }
}

impl Cell {
    /// Text from outside that may be missing.
    pub(crate) fn of(text: Option<&impl AsRef<str>>) -> Self {
        text.map_or(Self::Empty, |text| Self::Text(text.as_ref().to_owned()))
    }

    fn drawn(self) -> comfy_table::Cell {
        match self {
            Self::Empty => comfy_table::Cell::new("-"),
            Self::Number(text) => comfy_table::Cell::new(text).set_alignment(CellAlignment::Right),
            Self::Outcome(outcome) => comfy_table::Cell::new(outcome).fg(match outcome {
                Outcome::Ok => Color::Green,
                refusal if refusal.is_refusal() => Color::Yellow,
                _ => Color::Red,
            }),
            Self::Text(text) => comfy_table::Cell::new(visible(&text)),
        }
    }
}
