use audit_core::Glob;

/// The pattern of LIKE that matches what the glob matches. A prefix stays one, so that an index
/// finds it: the columns compare by bytes.
pub(super) fn like(glob: &Glob) -> String {
    let parts: Vec<String> = glob.parts().map(escape).collect();
    parts.join("%")
}

/// Takes the meaning off what means something to LIKE.
fn escape(literal: &str) -> String {
    let mut escaped = String::with_capacity(literal.len());
    for char in literal.chars() {
        if matches!(char, '\\' | '%' | '_') {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_star_stands_for_anything() {
        let cases = [
            ("delete_*", r"delete\_%"),
            ("*", "%"),
            ("100%", r"100\%"),
            (r"a\\b*", r"a\\b%"),
            (r"\*_*é", r"*\_%é"),
            ("", ""),
        ];
        for (pattern, expected) in cases {
            assert_eq!(like(&Glob::new(pattern)), expected, "{pattern}");
        }
    }
}
