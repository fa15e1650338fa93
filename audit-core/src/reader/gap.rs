use crate::event::Seq;

/// A run of numbers that a store does not hold, ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SeqGap {
    /// The first number that is missing.
    pub first: Seq,
    /// The last number that is missing.
    pub last: Seq,
}

impl SeqGap {
    /// A run of missing numbers.
    #[must_use]
    pub const fn new(first: Seq, last: Seq) -> Self {
        Self { first, last }
    }

    /// The gaps between numbers that are given in rising order, from the first number on.
    #[must_use]
    pub fn between(held: impl IntoIterator<Item = Seq>, limit: usize) -> Vec<Self> {
        let mut expected = Seq::FIRST;
        let mut gaps = Vec::new();
        for seq in held {
            if gaps.len() == limit {
                break;
            }
            if let Ok(before) = Seq::new(seq.get() - 1)
                && before >= expected
            {
                gaps.push(Self::new(expected, before));
            }
            expected = seq.next();
        }
        gaps
    }

    /// How many numbers are missing.
    #[must_use]
    pub const fn n_missing(&self) -> u64 {
        self.last.get() - self.first.get() + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(held: &[u64], limit: usize) -> Vec<(u64, u64)> {
        let held = held.iter().map(|number| Seq::new(*number).unwrap());
        SeqGap::between(held, limit)
            .iter()
            .map(|gap| (gap.first.get(), gap.last.get()))
            .collect()
    }

    #[test]
    fn a_missing_number_is_listed() {
        assert_eq!(gaps(&[], 9), []);
        assert_eq!(gaps(&[1, 2, 3], 9), []);
        assert_eq!(gaps(&[3, 4, 9], 9), [(1, 2), (5, 8)]);
        assert_eq!(gaps(&[3, 4, 9], 1), [(1, 2)]);
    }
}
