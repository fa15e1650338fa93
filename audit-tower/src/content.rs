use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

/// What a body is, as its headers say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Json,
    /// Something whose bytes are not kept, of this type.
    Other(Option<Box<str>>),
    Text,
}

impl Content {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let content = headers.get(CONTENT_TYPE);
        let Some(text) = content.and_then(|content| content.to_str().ok()) else {
            return Self::Other(None);
        };
        let essence = text.split(';').next().unwrap_or_default().trim();
        if !is_coded(headers) {
            if is_json(essence) {
                return Self::Json;
            }
            if starts_with(essence, "text/") {
                return Self::Text;
            }
        }
        Self::Other(Some(essence.into()))
    }

    /// Whether the bytes themselves are kept.
    pub(crate) fn is_kept(&self) -> bool {
        !matches!(self, Self::Other(_))
    }
}

/// Compressed bytes are neither JSON nor text.
fn is_coded(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONTENT_ENCODING)
        .into_iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn is_json(essence: &str) -> bool {
    essence.eq_ignore_ascii_case("application/json")
        || essence
            .len()
            .checked_sub(5)
            .and_then(|begin| essence.get(begin..))
            .is_some_and(|suffix| suffix.eq_ignore_ascii_case("+json"))
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn content(kind: &'static str, coding: Option<&'static str>) -> Content {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Some(coding) = coding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        Content::of(&headers)
    }

    #[test]
    fn the_type_decides_whatever_its_case_and_parameters() {
        for json in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/problem+json",
            "application/vnd.api+Json ;x=y",
        ] {
            assert_eq!(content(json, None), Content::Json, "{json}");
        }
        for text in [
            "text/plain",
            "TEXT/html; charset=utf-8",
            "text/event-stream",
        ] {
            assert_eq!(content(text, None), Content::Text, "{text}");
        }
        for other in ["application/jsonl", "image/png", "json", "texture/x", ""] {
            assert_eq!(content(other, None), Content::Other(Some(other.into())));
        }
        assert_eq!(Content::of(&HeaderMap::new()), Content::Other(None));
    }

    #[test]
    fn what_is_compressed_is_something_else() {
        assert_eq!(
            content("application/json", Some("gzip")),
            Content::Other(Some("application/json".into()))
        );
        assert_eq!(content("application/json", Some("Identity")), Content::Json);
    }
}
