use audit_core::event::Outcome;
use comfy_table::{Attribute, CellAlignment, Color, ColumnConstraint, ContentArrangement, Width};

use super::{Paint, visible};

/// Columns under headings, as wide as the terminal lets them be.
pub(crate) struct Table {
    table: comfy_table::Table,
    headings: Vec<String>,
    /// The longest word of each column.
    words: Vec<usize>,
    narrow: Narrow,
}

/// What a table does with its columns on a terminal that is too narrow for all of them; those that are
/// not named are broken into lines.
#[derive(Clone, Copy, Default)]
pub(crate) struct Narrow {
    /// They are never broken, so that what stands there can be copied.
    pub(crate) whole: &'static [&'static str],
    /// They are left out, one after the other, until the others fit.
    pub(crate) given_up: &'static [&'static str],
}

/// What stands between columns.
const GAP: u16 = 2;
/// No shorter word is broken: half of a moment has as many letters.
const WORD: usize = 12;
/// What is left of a longer one in a line.
const PART: u16 = 10;

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
        for (at, column) in table.column_iter_mut().enumerate() {
            let is_last = at + 1 == headings.len();
            column.set_padding((0, if is_last { 0 } else { GAP }));
        }
        Self {
            table,
            headings: headings.iter().map(ToString::to_string).collect(),
            words: vec![0; headings.len()],
            narrow: Narrow::default(),
        }
    }

    pub(crate) fn narrow(self, narrow: Narrow) -> Self {
        Self { narrow, ..self }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let cells: Vec<_> = cells.into_iter().map(Cell::drawn).collect();
        for (longest, cell) in self.words.iter_mut().zip(&cells) {
            let content = cell.content();
            let words = content.split(' ').map(|word| word.chars().count());
            *longest = std::cmp::max(*longest, words.max().unwrap_or(0));
        }
        self.table.add_row(cells);
    }

    /// The lines, each with its end, without blanks there.
    pub(crate) fn into_lines(mut self) -> String {
        if let Some(width) = self.table.width() {
            self.fit(width);
        }
        let mut lines = String::new();
        for line in self.table.lines() {
            lines.push_str(line.trim_end());
            lines.push('\n');
        }
        lines
    }

    /// Leaves out columns until the others fit, and breaks what may be broken of these.
    fn fit(&mut self, width: u16) {
        let widths = self.table.column_max_content_widths();
        let sum = |widths: &[u16]| widths.iter().map(|it| usize::from(it + GAP)).sum::<usize>();
        let width = usize::from(width + GAP);
        if sum(&widths) <= width {
            return;
        }
        let is_whole = |heading: &String| self.narrow.whole.contains(&heading.as_str());
        let least = widths.iter().zip(&self.headings).zip(&self.words);
        let least = least.map(|((width, heading), word)| match u16::try_from(*word) {
            _ if is_whole(heading) => *width,
            Ok(letters) if *word <= WORD => letters,
            _ => std::cmp::min(*width, PART),
        });
        let least: Vec<u16> = least.collect();
        let mut needed = sum(&least);
        let mut left_out = Vec::new();
        for name in self.narrow.given_up {
            let at = self.headings.iter().position(|heading| heading == name);
            if let Some(at) = at.filter(|_| needed > width) {
                needed -= usize::from(least[at] + GAP);
                left_out.push(at);
            }
        }
        for (at, heading) in self.headings.iter().enumerate() {
            let constraint = match (left_out.contains(&at), is_whole(heading)) {
                (true, _) => ColumnConstraint::Hidden,
                (false, true) => ColumnConstraint::ContentWidth,
                (false, false) => ColumnConstraint::LowerBoundary(Width::Fixed(least[at] + GAP)),
            };
            if let Some(column) = self.table.column_mut(at) {
                column.set_constraint(constraint);
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01a2140a-9421-7b1e-84f4-f60c352991ff";

    fn at_width(width: u16) -> String {
        let headings = ["TIME (UTC)", "KEY", "TOOL", "OUTCOME", "ID"];
        let mut table = Table::new(Paint::default(), &headings).narrow(Narrow {
            whole: &["OUTCOME", "ID"],
            given_up: &["KEY"],
        });
        let text = |text: &str| Cell::Text(text.to_owned());
        table.row([
            text("2026-11-25 18:49:27.329"),
            text("k_operator"),
            text("delete_customer"),
            Cell::Outcome(Outcome::InvalidRequest),
            text(ID),
        ]);
        table.table.set_width(width);
        table.into_lines()
    }

    #[test]
    fn on_a_narrow_terminal_what_is_copied_stays_whole() {
        let wide = at_width(120);
        assert_eq!(wide.lines().count(), 2, "{wide}");
        assert!(wide.contains("k_operator") && wide.contains(ID), "{wide}");
        for width in [80, 84, 88] {
            let narrow = at_width(width);
            assert!(
                narrow
                    .lines()
                    .all(|line| line.chars().count() <= usize::from(width))
            );
            for word in ["2026-11-25", "18:49:27.329", "invalid_request", ID] {
                assert!(narrow.contains(word), "{word} at {width}:\n{narrow}");
            }
            assert!(!narrow.contains("KEY"), "{narrow}");
        }
    }
}
