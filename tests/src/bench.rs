//! What all benches share: rounds with the rivals in turn, medians, a table or JSON lines.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

/// How a bench was called.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// One JSON object a row instead of a table.
    pub is_json: bool,
    /// Few and short rounds: to see that a bench works, not to quote its figures.
    pub is_quick: bool,
    /// How many rows a store holds, for benches that ask it.
    pub n_rows: Option<u64>,
}

impl Options {
    /// Reads the command line: `--json`, `--quick`, `--rows N`, and what cargo itself adds.
    ///
    /// # Errors
    /// The message names an option that is not known, or lacks its number.
    pub fn from_args() -> Result<Self, String> {
        let mut options = Self::default();
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--json" => options.is_json = true,
                "--quick" => options.is_quick = true,
                "--rows" => {
                    let number = arguments.next().and_then(|number| number.parse().ok());
                    let number = number.filter(|number| *number > 0);
                    options.n_rows = Some(number.ok_or("--rows wants a number above 0")?);
                }
                "--bench" => {}
                other => {
                    return Err(format!(
                        "unknown option {other}; known are --json, --quick and --rows N"
                    ));
                }
            }
        }
        Ok(options)
    }

    /// How often each case is measured.
    #[must_use]
    pub fn n_rounds(&self) -> usize {
        if self.is_quick { 2 } else { 9 }
    }

    /// How long a round of a short case takes.
    #[must_use]
    pub fn time_per_round(&self) -> Duration {
        Duration::from_millis(if self.is_quick { 1 } else { 25 })
    }

    /// `n` for figures to quote, a small part of it to see that the bench works.
    #[must_use]
    pub fn scaled(&self, n: usize) -> usize {
        if self.is_quick { n.div_ceil(20) } else { n }
    }
}

/// What one round of a case measured.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Sample {
    /// Nanoseconds per event.
    pub ns_per_event: f64,
    /// Further figures by the names of the JSON form, such as `p99_us`.
    pub more: BTreeMap<&'static str, f64>,
    /// How long each query took, where the figures are of queries.
    pub queries: Vec<Duration>,
}

impl Sample {
    /// So many events took so long.
    #[must_use]
    pub fn new(n_events: usize, took: Duration) -> Self {
        Self {
            ns_per_event: took.as_secs_f64() * 1e9 / as_f64(n_events),
            more: BTreeMap::new(),
            queries: Vec::new(),
        }
    }

    /// The sample with a further figure.
    #[must_use]
    pub fn with(mut self, name: &'static str, figure: f64) -> Self {
        self.more.insert(name, figure);
        self
    }

    /// Queries that took so long each. The time below which 95 of 100 stay is told of those of
    /// all rounds together.
    #[must_use]
    pub fn of_queries(took: Vec<Duration>) -> Self {
        let total = took.iter().sum();
        let mut sample = Self::new(took.len(), total);
        sample.queries = took;
        sample
    }

    /// Times `n_events` calls of `work`, as one stretch.
    pub fn time<T>(n_events: usize, mut work: impl FnMut() -> T) -> Self {
        let begin = Instant::now();
        for _ in 0..n_events {
            black_box(work());
        }
        Self::new(n_events, begin.elapsed())
    }

    /// Times as many calls of `work` as fill about this time.
    pub fn time_for<T>(time: Duration, mut work: impl FnMut() -> T) -> Self {
        let mut n_events = 1;
        loop {
            let begin = Instant::now();
            for _ in 0..n_events {
                black_box(work());
            }
            let took = begin.elapsed();
            if took * 2 >= time {
                return Self::new(n_events, took);
            }
            n_events *= 2;
        }
    }
}

/// The cases of a bench, measured in turn.
#[derive(Default)]
pub struct Bench<'a> {
    cases: Vec<Case<'a>>,
}

struct Case<'a> {
    name: String,
    rival: Option<&'static str>,
    round: Box<dyn FnMut() -> Sample + 'a>,
    samples: Vec<Sample>,
}

impl<'a> Bench<'a> {
    /// No case yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a case; each call of `round` is one round.
    #[must_use]
    pub fn case(self, name: impl Into<String>, round: impl FnMut() -> Sample + 'a) -> Self {
        self.add(name.into(), None, Box::new(round))
    }

    /// Adds a case whose time is also told as a share of another case's time.
    #[must_use]
    pub fn case_vs(
        self,
        name: impl Into<String>,
        rival: &'static str,
        round: impl FnMut() -> Sample + 'a,
    ) -> Self {
        self.add(name.into(), Some(rival), Box::new(round))
    }

    fn add(
        mut self,
        name: String,
        rival: Option<&'static str>,
        round: Box<dyn FnMut() -> Sample + 'a>,
    ) -> Self {
        self.cases.push(Case {
            name,
            rival,
            round,
            samples: Vec::new(),
        });
        self
    }

    /// Measures all cases, round by round, and prints the medians.
    ///
    /// One round before the first is not counted.
    ///
    /// # Panics
    /// A case is compared with one that there is not.
    pub fn run(mut self, options: Options) {
        for round in 0..=options.n_rounds() {
            for case in &mut self.cases {
                let sample = (case.round)();
                if round > 0 {
                    case.samples.push(sample);
                }
            }
        }
        let rows: Vec<Row> = self
            .cases
            .iter()
            .map(|case| case.row(&self.cases))
            .collect();
        print(&rows, options);
    }
}

impl std::fmt::Debug for Bench<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.cases.iter().map(|case| &case.name))
            .finish()
    }
}

impl Case<'_> {
    /// Of the queries of all rounds, where there are any.
    fn p95(&self) -> Option<Duration> {
        let queries = self.samples.iter().flat_map(|sample| &sample.queries);
        let mut took: Vec<Duration> = queries.copied().collect();
        took.sort_unstable();
        let rank = (took.len() * 95).div_ceil(100);
        took.get(rank.checked_sub(1)?).copied()
    }

    fn row(&self, all: &[Self]) -> Row {
        let figure = |figure: &dyn Fn(&Sample) -> Option<f64>| {
            median(self.samples.iter().filter_map(figure).collect())
        };
        let names = self
            .samples
            .iter()
            .flat_map(|sample| sample.more.keys().copied());
        let mut more: BTreeMap<_, _> = names
            .map(|name| (name, figure(&|sample| sample.more.get(name).copied())))
            .collect();
        if let Some(p95) = self.p95() {
            more.insert("p95_ms", p95.as_secs_f64() * 1e3);
        }
        let ns_per_event = figure(&|sample| Some(sample.ns_per_event));
        let rival = self.rival.map(|name| {
            let found = all.iter().find(|case| case.name == name);
            found.unwrap_or_else(|| panic!("there is no case {name} to compare with"))
        });
        let vs = rival.map(|rival| {
            // Pair by pair: what both rounds suffered alike falls out.
            let pairs = self.samples.iter().zip(&rival.samples);
            let ratios = pairs.map(|(mine, theirs)| mine.ns_per_event / theirs.ns_per_event);
            (rival.name.clone(), median(ratios.collect()))
        });
        Row {
            case: self.name.clone(),
            ns_per_event,
            vs,
            more,
        }
    }
}

struct Row {
    case: String,
    ns_per_event: f64,
    vs: Option<(String, f64)>,
    more: BTreeMap<&'static str, f64>,
}

impl Row {
    fn events_per_s(&self) -> f64 {
        1e9 / self.ns_per_event
    }

    fn to_json(&self) -> Value {
        let mut row = Map::new();
        row.insert("case".into(), json!(self.case));
        row.insert("events_per_s".into(), json!(self.events_per_s().round()));
        row.insert("ns_per_event".into(), json!(rounded(self.ns_per_event)));
        for (name, figure) in &self.more {
            row.insert((*name).into(), json!(rounded(*figure)));
        }
        if let Some((rival, ratio)) = &self.vs {
            row.insert(
                "vs".into(),
                json!({ "case": rival, "time_ratio": significant(*ratio) }),
            );
        }
        Value::Object(row)
    }
}

#[expect(clippy::print_stdout, reason = "the figures are what a bench is for")]
fn print(rows: &[Row], options: Options) {
    if options.is_json {
        for row in rows {
            println!("{}", row.to_json());
        }
        return;
    }
    println!(
        "{:<28} {:>14} {:>14}  further",
        "case", "events/s", "ns/event"
    );
    for row in rows {
        let mut further: Vec<_> = row
            .more
            .iter()
            .map(|(name, figure)| format!("{name} {}", rounded(*figure)))
            .collect();
        if let Some((rival, ratio)) = &row.vs {
            further.push(format!("{} of the time of {rival}", significant(*ratio)));
        }
        println!(
            "{:<28} {:>14.0} {:>14.1}  {}",
            row.case,
            row.events_per_s(),
            row.ns_per_event,
            further.join(", ")
        );
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

fn rounded(figure: f64) -> f64 {
    (figure * 10.0).round() / 10.0
}

/// Six digits of a share, however small it is: one in three thousand is more than `0.0003`.
fn significant(share: f64) -> f64 {
    format!("{share:.5e}").parse().unwrap_or(share)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of events stay far below 2⁵³"
)]
fn as_f64(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_share_keeps_six_digits() {
        assert_eq!(significant(0.000_312_345_678).to_string(), "0.000312346");
        assert_eq!(significant(0.5).to_string(), "0.5");
        assert_eq!(significant(1.0 / 3.0).to_string(), "0.333333");
    }
}
