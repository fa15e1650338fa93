//! Secrets that are made when a test runs, so that none stands in the tree.

/// A token as GitHub's look, drawn from a seed.
pub(crate) fn token(seed: u64) -> String {
    format!("{}{}", ["gh", "p_"].concat(), word(seed, 36))
}

/// A password.
pub(crate) fn password(seed: u64) -> String {
    format!("q{}7", word(seed, 22))
}

fn word(seed: u64, n: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut state = seed;
    let mut letter = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let place = usize::try_from(state >> 33).unwrap() % ALPHABET.len();
        char::from(ALPHABET[place])
    };
    (0..n).map(|_| letter()).collect()
}
