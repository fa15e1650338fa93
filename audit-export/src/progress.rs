use audit_core::event::Timestamp;

/// How far an export is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// The rows that were written, those that a resumed export had kept included.
    pub n_rows: u64,
    /// Their bytes, before they are compressed.
    pub n_bytes: u64,
    /// Which part of the time between the first call and the last one that is exported has been
    /// passed, from 0 to 1; nothing before the first row. An estimate of what is left: nobody counted
    /// the events beforehand.
    pub fraction: Option<f64>,
}

/// The part of the way from `first` to `last` that lies before `at`.
pub(crate) fn fraction(first: Timestamp, at: Timestamp, last: Timestamp) -> f64 {
    let way = |to: Timestamp| u32::try_from((to.as_micros() - first.as_micros()) / 1_000);
    match (way(at), way(last)) {
        (Ok(_), Ok(0)) => 1.0,
        (Ok(done), Ok(whole)) => f64::from(done) / f64::from(whole),
        // More than 49 days: seconds are fine enough, and years fit.
        _ => {
            let way = |to: Timestamp| {
                u32::try_from((to.as_micros() - first.as_micros()) / 1_000_000).unwrap_or(u32::MAX)
            };
            f64::from(way(at)) / f64::from(std::cmp::max(way(last), 1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_is_measured_in_time() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000).unwrap();
        assert_eq!(fraction(at(10), at(10), at(10)), 1.0);
        assert_eq!(fraction(at(10), at(10), at(20)), 0.0);
        assert_eq!(fraction(at(10), at(15), at(20)), 0.5);
        let year = 31_536_000;
        assert_eq!(fraction(at(0), at(year), at(4 * year)), 0.25);
    }
}
