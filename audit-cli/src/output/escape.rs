pub(crate) use audit_core::{visible, visible_json};

/// The same for text of several lines.
pub(crate) fn visible_lines(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(visible).collect();
    lines.join("\n")
}
