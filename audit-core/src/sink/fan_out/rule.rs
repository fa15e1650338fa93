use std::fmt;

use crate::error::{Error, ErrorKind};
use crate::sink::{Durability, Receipt};

/// Whose answer counts when there are several sinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FanOutRule {
    /// Every sink keeps an event, or the append is an error.
    All,
    /// One sink keeps an event, whichever is the first; the others get it all the same.
    Any,
    /// The answer is that of the first sink; the others get copies.
    Primary,
}

/// What the sink of one lane says to a batch.
#[derive(Clone, Copy, Debug)]
pub(super) enum Word<'a> {
    /// One receipt for each event.
    Answered(&'a [Receipt]),
    /// It does not keep the batch, at least for now.
    Failed(&'a Error),
    /// Nothing so far.
    Pending,
}

impl FanOutRule {
    /// The word for metrics and log lines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Any => "any",
            Self::Primary => "primary",
        }
    }

    /// Whether the lane of this place brings a batch to its sink however long that takes: nobody
    /// else would, since the answer does not depend on it alone.
    pub(super) fn keeps(self, place: usize) -> bool {
        match self {
            Self::All => false,
            Self::Any => true,
            Self::Primary => place > 0,
        }
    }

    /// What an append of so many events answers, by what each sink says; `None` as long as it
    /// cannot be told.
    pub(super) fn decide(
        self,
        n_events: usize,
        words: &[Word<'_>],
    ) -> Option<Result<Vec<Receipt>, Error>> {
        match self {
            Self::All => all(n_events, words),
            Self::Any => any(n_events, words),
            Self::Primary => words.first().and_then(|word| match word {
                Word::Answered(receipts) => Some(Ok(receipts.to_vec())),
                Word::Failed(error) => Some(Err((*error).clone())),
                Word::Pending => None,
            }),
        }
    }

    /// Whether the answer of an append says that the event at this place is kept.
    pub(super) fn is_kept(self, event: usize, words: &[Word<'_>]) -> bool {
        let mut words = words.iter();
        match self {
            // Who does not keep it makes the append an error: nobody is in the dark.
            Self::All => false,
            Self::Any => words.any(|word| word.receipt(event).is_some_and(Receipt::is_kept)),
            Self::Primary => words
                .next()
                .and_then(|word| word.receipt(event))
                .is_some_and(Receipt::is_kept),
        }
    }

    /// What the rule makes of a promise of each sink.
    pub(super) fn durability(self, of_sinks: &[Durability]) -> Durability {
        let weakest = || of_sinks.iter().min();
        let promised = match self {
            Self::All | Self::Any => weakest(),
            Self::Primary => of_sinks.first(),
        };
        promised.copied().unwrap_or(Durability::Queued)
    }

    /// What the rule makes of something that each sink does: `None` as long as it cannot be told.
    pub(super) fn done(self, results: &[Option<Result<(), Error>>]) -> Option<Result<(), Error>> {
        let first_error = || {
            let mut errors = results.iter().flatten();
            errors.find_map(|result| result.clone().err())
        };
        let is_over = results.iter().all(Option::is_some);
        match self {
            Self::All => is_over.then(|| first_error().map_or(Ok(()), Err)),
            Self::Any if results.iter().any(|result| matches!(result, Some(Ok(())))) => {
                Some(Ok(()))
            }
            Self::Any => is_over.then(|| first_error().map_or(Ok(()), Err)),
            Self::Primary => results.first().cloned().flatten(),
        }
    }
}

impl fmt::Display for FanOutRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<'a> Word<'a> {
    fn receipt(self, event: usize) -> Option<&'a Receipt> {
        match self {
            Self::Answered(receipts) => receipts.get(event),
            Self::Failed(_) | Self::Pending => None,
        }
    }
}

fn all(n_events: usize, words: &[Word<'_>]) -> Option<Result<Vec<Receipt>, Error>> {
    if words.iter().any(|word| matches!(word, Word::Pending)) {
        return None;
    }
    let errors = || words.iter().filter_map(Word::error);
    // Only a retryable error may mean that a sink has the batch all the same.
    let error = errors().find(|error| error.is_retryable());
    if let Some(error) = error.or_else(|| errors().next()) {
        return Some(Err(error.clone()));
    }
    let merged = (0..n_events).map(|event| of_all(receipts(event, words)));
    Some(Ok(merged.collect()))
}

fn any(n_events: usize, words: &[Word<'_>]) -> Option<Result<Vec<Receipt>, Error>> {
    let is_pending = words.iter().any(|word| matches!(word, Word::Pending));
    let merged: Option<Vec<_>> = (0..n_events)
        .map(|event| of_any(receipts(event, words)))
        .collect();
    let is_all_kept = |receipts: &Vec<Receipt>| receipts.iter().all(Receipt::is_kept);
    match merged {
        Some(receipts) if is_all_kept(&receipts) => Some(Ok(receipts)),
        _ if is_pending => None,
        Some(receipts) => Some(Ok(receipts)),
        None => {
            let errors = || words.iter().filter_map(Word::error);
            let error = errors().find(|error| error.is_retryable());
            Some(Err(error
                .or_else(|| errors().next())
                .cloned()
                .unwrap_or_else(nobody_answered)))
        }
    }
}

impl Word<'_> {
    fn error(&self) -> Option<&Error> {
        match self {
            Self::Failed(error) => Some(error),
            Self::Answered(_) | Self::Pending => None,
        }
    }
}

fn receipts<'a>(event: usize, words: &'a [Word<'a>]) -> impl Iterator<Item = &'a Receipt> {
    words.iter().filter_map(move |word| word.receipt(event))
}

/// A refusal by one is the answer; else it was stored, if one sink had to store it.
fn of_all<'a>(receipts: impl Iterator<Item = &'a Receipt>) -> Receipt {
    let mut merged = Receipt::AlreadyStored;
    for receipt in receipts {
        match receipt {
            Receipt::Refused(_) => return receipt.clone(),
            Receipt::Stored => merged = Receipt::Stored,
            Receipt::AlreadyStored => {}
        }
    }
    merged
}

/// Kept, if one sink keeps it, and there before, if one had it before; a refusal is the answer only
/// if nobody keeps it.
fn of_any<'a>(receipts: impl Iterator<Item = &'a Receipt>) -> Option<Receipt> {
    let mut merged: Option<&Receipt> = None;
    for receipt in receipts {
        match (receipt, merged) {
            (Receipt::AlreadyStored, _) => return Some(Receipt::AlreadyStored),
            (Receipt::Stored, _) | (Receipt::Refused(_), None) => merged = Some(receipt),
            (Receipt::Refused(_), Some(_)) => {}
        }
    }
    merged.cloned()
}

fn nobody_answered() -> Error {
    Error::new(ErrorKind::Unavailable, "no sink of the fan-out answered")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::Refusal;

    fn decide(rule: FanOutRule, words: &[Word<'_>]) -> Option<Result<Vec<Receipt>, ErrorKind>> {
        let decided = rule.decide(1, words)?;
        Some(decided.map_err(|error| error.kind()))
    }

    #[test]
    fn each_rule_decides_by_the_words_it_needs() {
        let (stored, known) = ([Receipt::Stored], [Receipt::AlreadyStored]);
        let refused = [Receipt::Refused(Refusal::conflict())];
        let (down, full) = (
            Error::new(ErrorKind::Unavailable, "down"),
            Error::new(ErrorKind::Full, "full"),
        );
        let (down, full) = (Word::Failed(&down), Word::Failed(&full));
        let (pending, ok) = (Word::Pending, Word::Answered(&stored));
        let (known_word, no) = (Word::Answered(&known), Word::Answered(&refused));
        let kept = || Some(Ok(stored.to_vec()));
        let had = || Some(Ok(known.to_vec()));
        let not = || Some(Ok(refused.to_vec()));
        let failed = |kind| Some(Err(kind));
        let table = [
            // The words of both sinks, and what comes of them: all, any, primary.
            ([ok, ok], kept(), kept(), kept()),
            ([ok, known_word], kept(), had(), kept()),
            ([known_word, ok], kept(), had(), had()),
            ([known_word, known_word], had(), had(), had()),
            ([ok, no], not(), kept(), kept()),
            ([no, ok], not(), kept(), not()),
            ([no, no], not(), not(), not()),
            ([ok, pending], None, kept(), kept()),
            ([pending, ok], None, kept(), None),
            ([no, pending], None, None, not()),
            ([pending, down], None, None, None),
            ([ok, down], failed(ErrorKind::Unavailable), kept(), kept()),
            (
                [down, ok],
                failed(ErrorKind::Unavailable),
                kept(),
                failed(ErrorKind::Unavailable),
            ),
            ([no, down], failed(ErrorKind::Unavailable), not(), not()),
            (
                [full, down],
                failed(ErrorKind::Unavailable),
                failed(ErrorKind::Unavailable),
                failed(ErrorKind::Full),
            ),
            (
                [full, full],
                failed(ErrorKind::Full),
                failed(ErrorKind::Full),
                failed(ErrorKind::Full),
            ),
        ];
        for (words, all, any, primary) in table {
            let got = |rule| decide(rule, &words);
            assert_eq!(got(FanOutRule::All), all, "all of {words:?}");
            assert_eq!(got(FanOutRule::Any), any, "any of {words:?}");
            assert_eq!(got(FanOutRule::Primary), primary, "primary of {words:?}");
        }
    }
}
