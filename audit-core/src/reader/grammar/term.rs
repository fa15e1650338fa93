use std::str::FromStr;
use std::time::Duration;

use super::error::InvalidFilter;
use super::lexer::{Lexer, Term, Value};
use super::moment::moment;
use super::range::{Steps, range};
use crate::Glob;
use crate::event::{CheckName, EventId, Latency, Outcome, Seq, StatusCode, Timestamp, Verdict};
use crate::reader::{Condition, Field, Filter, Span, TextField};

/// The terms that were read so far, between two `&`.
pub(super) struct Reading {
    now: Timestamp,
    filter: Filter,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    has_time: bool,
}

/// What a field is called, and what it takes.
#[derive(Clone, Copy)]
enum Name {
    Of(Field),
    Since,
    Until,
}

/// Names and, behind them, the columns that are called otherwise.
const NAMES: &[(&str, Name)] = &[
    ("key", Name::Of(Field::Text(TextField::Key))),
    ("tool", Name::Of(Field::Text(TextField::Tool))),
    ("outcome", Name::Of(Field::Outcome)),
    ("role", Name::Of(Field::Text(TextField::Role))),
    ("method", Name::Of(Field::Text(TextField::Method))),
    ("session", Name::Of(Field::Text(TextField::Session))),
    ("status", Name::Of(Field::Status)),
    ("latency", Name::Of(Field::Latency)),
    ("since", Name::Since),
    ("until", Name::Until),
    ("time", Name::Of(Field::Time)),
    ("auth", Name::Of(Field::Verdict(CheckName::Auth))),
    ("authz", Name::Of(Field::Verdict(CheckName::Authz))),
    ("rate", Name::Of(Field::Verdict(CheckName::Rate))),
    ("upstream", Name::Of(Field::Text(TextField::Upstream))),
    ("upstream_latency", Name::Of(Field::UpstreamLatency)),
    ("request", Name::Of(Field::Text(TextField::RequestId))),
    ("client", Name::Of(Field::Text(TextField::ClientName))),
    (
        "client_version",
        Name::Of(Field::Text(TextField::ClientVersion)),
    ),
    ("address", Name::Of(Field::Text(TextField::ClientAddress))),
    ("writer", Name::Of(Field::Text(TextField::Writer))),
    ("seq", Name::Of(Field::Seq)),
    ("id", Name::Of(Field::Id)),
    ("trace", Name::Of(Field::TraceId)),
    ("span", Name::Of(Field::SpanId)),
    ("redacted", Name::Of(Field::Redacted)),
    ("api_key_id", Name::Of(Field::Text(TextField::Key))),
    ("tool_name", Name::Of(Field::Text(TextField::Tool))),
    ("session_id", Name::Of(Field::Text(TextField::Session))),
    ("status_code", Name::Of(Field::Status)),
    ("latency_ms", Name::Of(Field::Latency)),
    ("ts", Name::Of(Field::Time)),
    ("upstream_latency_ms", Name::Of(Field::UpstreamLatency)),
    ("request_id", Name::Of(Field::Text(TextField::RequestId))),
    ("client_name", Name::Of(Field::Text(TextField::ClientName))),
    (
        "client_address",
        Name::Of(Field::Text(TextField::ClientAddress)),
    ),
    ("trace_id", Name::Of(Field::TraceId)),
    ("span_id", Name::Of(Field::SpanId)),
];

impl Reading {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            now,
            filter: Filter::all(),
            since: None,
            until: None,
            has_time: false,
        }
    }

    /// Reads the values of a term.
    pub(super) fn read(
        &mut self,
        term: &Term<'_>,
        lexer: &mut Lexer<'_>,
    ) -> Result<(), InvalidFilter> {
        let Some(field) = term.field else {
            let value = lexer.free_text()?;
            self.add(Condition::Contains(value.text.into()), term.is_negated);
            return Ok(());
        };
        let name = name(field).map_err(|problem| lexer.error(term.at, problem))?;
        loop {
            let (value, has_more) = lexer.next_value()?;
            if value.text.is_empty() && !value.is_quoted {
                let problem = format!("{field}: has no value here");
                return Err(lexer.error(value.at, problem));
            }
            self.value(name, &value, term, has_more)
                .map_err(|problem| lexer.error(value.at, problem))?;
            if !has_more {
                return Ok(());
            }
        }
    }

    /// The filter; the range of `since:` and `until:` has to hold along with any of `time:`.
    pub(super) fn finish(self) -> Filter {
        if self.since.is_none() && self.until.is_none() {
            return self.filter;
        }
        let span = Condition::Time(Span {
            min: self.since,
            max: self.until,
        });
        match self.has_time {
            true => self.filter.intersect(Filter::all().with(span)),
            false => self.filter.with(span),
        }
    }

    fn value(
        &mut self,
        name: Name,
        value: &Value<'_>,
        term: &Term<'_>,
        has_more: bool,
    ) -> Result<(), String> {
        let field = match name {
            Name::Of(field) => field,
            Name::Since | Name::Until => return self.bound(name, value, term, has_more),
        };
        let (condition, is_no) = condition(field, value, self.now)?;
        self.has_time |= field == Field::Time && !term.is_negated;
        self.add(condition, term.is_negated != is_no);
        Ok(())
    }

    fn bound(
        &mut self,
        name: Name,
        value: &Value<'_>,
        term: &Term<'_>,
        has_more: bool,
    ) -> Result<(), String> {
        let (bound, word, other) = match name {
            Name::Until => (&mut self.until, "until", "since"),
            _ => (&mut self.since, "since", "until"),
        };
        if term.is_negated {
            return Err(format!(
                "{word}: cannot be excluded: write {other}: instead"
            ));
        }
        if has_more || bound.is_some() {
            return Err(format!(
                "{word}: has one value: write time:A..B,C..D for several ranges"
            ));
        }
        *bound = Some(moment(&value.text, self.now).map_err(|error| error.to_string())?);
        if let (Some(since), Some(until)) = (self.since, self.until)
            && since > until
        {
            return Err("the range from since: to until: ends before it begins".to_owned());
        }
        Ok(())
    }

    fn add(&mut self, condition: Condition, is_negated: bool) {
        let filter = std::mem::take(&mut self.filter);
        self.filter = match is_negated {
            true => filter.without(condition),
            false => filter.with(condition),
        };
    }
}

fn name(word: &str) -> Result<Name, String> {
    if let Some((_, name)) = NAMES.iter().find(|(known, _)| *known == word) {
        return Ok(*name);
    }
    let nearest = nearest(word, NAMES.iter().map(|(known, _)| *known));
    Err(match nearest {
        Some(nearest) => format!(
            "there is no field {word}: did you mean {nearest}:? To look for the text, put it in \
             quotes"
        ),
        None => format!(
            "there is no field {word}; there are key, tool, outcome, role, method, session, status, \
             latency, since, until and others. To look for the text, put it in quotes"
        ),
    })
}

/// The known word that is most like this one, if any is.
fn nearest<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let word = word.to_ascii_lowercase();
    known
        .map(|known| (strsim::damerau_levenshtein(&word, known), known))
        .filter(|(distance, known)| *distance <= std::cmp::max(1, known.len() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// What a value asks of a field, and whether it asks for the opposite.
fn condition(field: Field, value: &Value<'_>, now: Timestamp) -> Result<(Condition, bool), String> {
    let text = &*value.text;
    let condition = match field {
        Field::Text(field) if text == "none" && !value.is_quoted => Condition::Absent(field),
        Field::Text(field) => Condition::Text(field, Glob::new(text)),
        Field::Outcome => Condition::Outcome(word(
            "outcome",
            text,
            Outcome::ALL.iter().map(|it| (it.as_str(), *it)),
        )?),
        Field::Verdict(check) => Condition::Verdict(
            check,
            word(
                "answer of a check",
                text,
                Verdict::ALL.iter().map(|it| (it.as_str(), *it)),
            )?,
        ),
        Field::Status => Condition::Status(range(text, status)?),
        Field::Seq => Condition::Seq(range(text, seq)?),
        Field::Latency => Condition::Latency(range(text, latency)?),
        Field::UpstreamLatency => Condition::UpstreamLatency(range(text, latency)?),
        Field::Time => {
            let moment = |text: &str| moment(text, now).map_err(|error| error.to_string());
            Condition::Time(range(text, moment)?)
        }
        Field::Id => {
            let id = uuid::Uuid::parse_str(text).ok();
            let id = id.and_then(|id| EventId::from_uuid(id).ok());
            Condition::Id(id.ok_or("an id of an event is a UUIDv7, as lists show it")?)
        }
        Field::TraceId => Condition::TraceId(identifier(text)?),
        Field::SpanId => Condition::SpanId(identifier(text)?),
        Field::Redacted => {
            let is_no = match text {
                "yes" => false,
                "no" => true,
                _ => return Err("redacted: is yes or no".to_owned()),
            };
            return Ok((Condition::Redacted, is_no));
        }
        // Free text has no name.
        Field::Contains => Condition::Contains(text.into()),
    };
    Ok((condition, false))
}

fn word<T>(
    what: &str,
    text: &str,
    known: impl Iterator<Item = (&'static str, T)> + Clone,
) -> Result<T, String> {
    if let Some((_, found)) = known.clone().find(|(word, _)| *word == text) {
        return Ok(found);
    }
    let words: Vec<&str> = known.map(|(word, _)| word).collect();
    let guess = nearest(text, words.iter().copied())
        .map(|nearest| format!("did you mean {nearest}? "))
        .unwrap_or_default();
    Err(format!(
        "{text:?} is no {what}: {guess}there are {}",
        words.join(", ")
    ))
}

fn identifier<T: FromStr<Err = crate::event::InvalidField>>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|error: crate::event::InvalidField| error.to_string())
}

fn status(text: &str) -> Result<StatusCode, String> {
    let number: Option<i64> = text.parse().ok();
    number
        .and_then(|number| StatusCode::new(number).ok())
        .ok_or_else(|| format!("{text:?} is no status: write 500, >=500 or 500..599"))
}

fn seq(text: &str) -> Result<Seq, String> {
    let number: Option<u64> = text.parse().ok();
    number
        .and_then(|number| Seq::new(number).ok())
        .ok_or_else(|| format!("{text:?} is no number of an event, which begin with 1"))
}

fn latency(text: &str) -> Result<Latency, String> {
    const UNITS: &[(&str, f64)] = &[("us", 0.001), ("ms", 1.0), ("s", 1_000.0), ("m", 60_000.0)];
    let (number, millis) = UNITS
        .iter()
        .find_map(|(unit, millis)| Some((text.strip_suffix(unit)?, *millis)))
        // What ends in no digit has no unit that we know; without one it is milliseconds.
        .unwrap_or((text, 1.0));
    let is_plain = number.starts_with(|it: char| it.is_ascii_digit())
        && number.bytes().all(|it| it.is_ascii_digit() || it == b'.');
    let number = number.parse::<f64>().ok().filter(|_| is_plain);
    number
        .and_then(|number| Latency::from_millis(number * millis).ok())
        .ok_or_else(|| format!("{text:?} is no duration: write 250ms, 1.5s or 2m"))
}

impl Steps for StatusCode {
    fn next(self) -> Option<Self> {
        Self::new(i64::from(self.as_u16()) + 1).ok()
    }

    fn previous(self) -> Option<Self> {
        Self::new(i64::from(self.as_u16()) - 1).ok()
    }
}

impl Steps for Seq {
    fn next(self) -> Option<Self> {
        Self::new(self.get().checked_add(1)?).ok()
    }

    fn previous(self) -> Option<Self> {
        Self::new(self.get().checked_sub(1)?).ok()
    }
}

impl Steps for Latency {
    fn next(self) -> Option<Self> {
        let next = Self::new(Duration::from_micros(self.as_micros().checked_add(1)?));
        (next > self).then_some(next)
    }

    fn previous(self) -> Option<Self> {
        Some(Self::new(Duration::from_micros(
            self.as_micros().checked_sub(1)?,
        )))
    }
}

impl Steps for Timestamp {
    fn next(self) -> Option<Self> {
        Self::from_micros(self.as_micros().checked_add(1)?).ok()
    }

    fn previous(self) -> Option<Self> {
        Self::from_micros(self.as_micros().checked_sub(1)?).ok()
    }
}
