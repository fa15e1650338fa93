use crate::reader::Span;

/// What a range is made of: values with a next one.
pub(super) trait Steps: Copy + Ord {
    fn next(self) -> Option<Self>;
    fn previous(self) -> Option<Self>;
}

/// Reads `x`, `>x`, `>=x`, `<x`, `<=x`, `x..y`, `x..`, `..y`, both ends in it.
pub(super) fn range<T: Steps>(
    text: &str,
    value: impl Fn(&str) -> Result<T, String>,
) -> Result<Span<T>, String> {
    let nothing = |end: &str| format!("nothing can be {end}");
    if let Some(rest) = text.strip_prefix(">=") {
        return Ok(Span::at_least(value(rest)?));
    }
    if let Some(rest) = text.strip_prefix("<=") {
        return Ok(Span::at_most(value(rest)?));
    }
    if let Some(rest) = text.strip_prefix('>') {
        let min = value(rest)?.next();
        return Ok(Span::at_least(min.ok_or_else(|| nothing(text))?));
    }
    if let Some(rest) = text.strip_prefix('<') {
        let max = value(rest)?.previous();
        return Ok(Span::at_most(max.ok_or_else(|| nothing(text))?));
    }
    let Some((min, max)) = text.split_once("..") else {
        return Ok(Span::exactly(value(text)?));
    };
    let end = |text: &str| match text {
        "" => Ok(None),
        _ => value(text).map(Some),
    };
    let span = Span {
        min: end(min)?,
        max: end(max)?,
    };
    if let (Some(min), Some(max)) = (span.min, span.max)
        && min > max
    {
        return Err(format!("the range {text} ends before it begins"));
    }
    Ok(span)
}
