use std::fmt::Display;
use std::str::FromStr;

use audit_core::event::Timestamp;
use audit_core::reader::Filter;
use axum::http::StatusCode;
use serde_json::json;

use crate::problem::Problem;

/// The query of a URL: each parameter at most once, and none that its route does not know. A
/// misspelled filter that was passed over would answer another question.
#[derive(Debug)]
pub(crate) struct Query {
    given: Vec<(String, String)>,
}

/// The most characters of a filter: however they are encoded, they fit the head of a request.
const MAX_FILTER: usize = 2_048;
/// The most terms of a filter: every one is asked of every event, in a stream by the server itself.
const MAX_TERMS: usize = 128;

impl Query {
    /// Reads a query.
    ///
    /// # Errors
    /// A parameter is not known, comes twice, or holds U+0000.
    pub(crate) fn parse(raw: Option<&str>, known: &[&str]) -> Result<Self, Problem> {
        let mut given: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(raw.unwrap_or_default().as_bytes()) {
            if !known.contains(&&*name) {
                let text = format!(
                    "there is no such parameter; there are: {}",
                    known.join(", ")
                );
                return Err(invalid(&name, text));
            }
            if given.iter().any(|(before, _)| *before == name) {
                return Err(invalid(&name, "the parameter is given twice"));
            }
            if value.contains('\0') {
                return Err(invalid(
                    &name,
                    "the value holds U+0000, which no event does",
                ));
            }
            given.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self { given })
    }

    /// The value of a parameter.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let mut given = self.given.iter();
        let found = given.find(|(of, _)| of == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The value of a parameter, read.
    ///
    /// # Errors
    /// It cannot be read; the answer says why.
    pub(crate) fn read<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, Problem> {
        let value = self.text(name).map(str::parse);
        value
            .transpose()
            .map_err(|error: T::Err| invalid(name, error))
    }

    /// The value of a parameter that is one of a few words.
    ///
    /// # Errors
    /// It is none of them; the answer names them.
    pub(crate) fn one_of<T: Copy>(
        &self,
        name: &str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.text(name) else {
            return Ok(None);
        };
        let found = words.iter().find(|(word, _)| *word == value);
        found.map(|(_, meaning)| Some(*meaning)).ok_or_else(|| {
            let all: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            invalid(name, format!("it is one of {}", all.join(", ")))
        })
    }

    /// The filter; every event, if there is none.
    ///
    /// # Errors
    /// It is too long, or no filter; the answer points at the column.
    pub(crate) fn filter(&self, now: Timestamp) -> Result<Filter, Problem> {
        let text = self.filter_text("filter")?.unwrap_or_default();
        let filter = Filter::parse(text, now).map_err(|error| {
            let code = "invalid-filter";
            Problem::new(StatusCode::BAD_REQUEST, code, error.to_string())
                .member("parameter", json!("filter"))
                .member("column", json!(error.column()))
        })?;
        check_terms("filter", &filter)?;
        Ok(filter)
    }

    /// The text of a parameter that holds a filter.
    ///
    /// # Errors
    /// It is too long.
    pub(crate) fn filter_text(&self, name: &str) -> Result<Option<&str>, Problem> {
        let text = self.text(name);
        if text.is_some_and(|text| text.chars().count() > MAX_FILTER) {
            let why = format!("a filter has at most {MAX_FILTER} characters");
            return Err(invalid(name, why));
        }
        Ok(text)
    }
}

/// Refuses a filter that would cost the store, or each event of a stream, too much.
///
/// # Errors
/// It has too many terms.
pub(crate) fn check_terms(name: &str, filter: &Filter) -> Result<(), Problem> {
    let n_terms = filter.terms().len();
    if n_terms <= MAX_TERMS {
        return Ok(());
    }
    let why = format!("a filter has at most {MAX_TERMS} terms, and this one has {n_terms}");
    Err(invalid(name, why))
}

/// A parameter that cannot be used.
pub(crate) fn invalid(name: &str, why: impl Display) -> Problem {
    let shown: String = name.chars().take(64).collect();
    Problem::new(
        StatusCode::BAD_REQUEST,
        "invalid-parameter",
        format!("{}: {why}", shown.escape_debug()),
    )
    .member("parameter", json!(shown))
}

/// Puts a query together.
pub(crate) fn written(parameters: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_route_does_not_know_is_refused() {
        let parse = |raw| Query::parse(Some(raw), &["filter", "limit"]);
        for raw in [
            "fliter=x",
            "limit=1&limit=1",
            "filter=a%00b",
            "Filter=",
            "=x",
        ] {
            let problem = parse(raw).unwrap_err();
            assert_eq!(problem.status(), StatusCode::BAD_REQUEST, "{raw}");
        }
        let query = parse("filter=a+b%26c&limit=7").unwrap();
        assert_eq!(query.text("filter"), Some("a b&c"));
        assert_eq!(query.read::<u8>("limit").unwrap(), Some(7));
        let negative = parse("limit=-1").unwrap().read::<u8>("limit");
        assert_eq!(negative.unwrap_err().status(), StatusCode::BAD_REQUEST);
    }

    #[test]
    fn a_filter_is_bounded() {
        let filter = |n| {
            let raw = written(&[("filter", &"é".repeat(n))]);
            let query = Query::parse(Some(&raw), &["filter"]).unwrap();
            query.filter(Timestamp::MIN)
        };
        assert_eq!(filter(MAX_FILTER).unwrap().terms().len(), 1);
        let long = filter(MAX_FILTER + 1).unwrap_err();
        assert_eq!(long.status(), StatusCode::BAD_REQUEST);
        let terms = |n| {
            let raw = written(&[("filter", &vec!["a"; n].join(" & "))]);
            let query = Query::parse(Some(&raw), &["filter"]).unwrap();
            query.filter(Timestamp::MIN)
        };
        assert_eq!(terms(MAX_TERMS).unwrap().terms().len(), MAX_TERMS);
        let many = terms(MAX_TERMS + 1).unwrap_err();
        assert!(many.detail().contains("128 terms"), "{}", many.detail());
    }

    proptest! {
        #[test]
        fn a_query_is_read_as_it_was_written(filter in "[^\0]{0,40}", cursor in "[^\0]{0,40}") {
            let raw = written(&[("filter", &filter), ("cursor", &cursor)]);
            let query = Query::parse(Some(&raw), &["cursor", "filter"]).unwrap();
            prop_assert_eq!(query.text("filter"), Some(&*filter));
            prop_assert_eq!(query.text("cursor"), Some(&*cursor));
        }

        #[test]
        fn any_query_is_read_or_refused(raw in ".{0,80}") {
            if let Ok(query) = Query::parse(Some(&raw), &["filter"]) {
                // A filter that is none is a problem of the client.
                if let Err(problem) = query.filter(Timestamp::MIN) {
                    prop_assert_eq!(problem.status(), StatusCode::BAD_REQUEST);
                }
            }
        }
    }
}
