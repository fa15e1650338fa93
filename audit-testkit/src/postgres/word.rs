use rand::distr::{Alphanumeric, SampleString};

/// A random word of letters and digits: a password, a part of a name.
pub(super) fn random_word(length: usize) -> String {
    Alphanumeric.sample_string(&mut rand::rng(), length)
}
