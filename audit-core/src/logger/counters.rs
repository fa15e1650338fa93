/// What a logger did since it was built, and what it holds.
///
/// The numbers are read one by one while work goes on: they may differ by what happened meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggerCounters {
    /// Records that entered the queue, loss events among them.
    pub accepted: u64,
    /// Records that the sink stored.
    pub stored: u64,
    /// Records that the sink had before.
    pub duplicates: u64,
    /// Records that the sink refused.
    pub refused: u64,
    /// Records that failed for another reason than their own.
    pub failed: u64,
    /// Records that were shed because the queue was full.
    pub shed: u64,
    /// Calls that went on although their records could not begin.
    pub unrecorded: u64,
    /// Calls that were announced before their tools ran.
    pub announced: u64,
    /// Calls of owners that had died, taken over to be recorded as interrupted.
    pub interrupted: u64,
    /// Batches that the sink answered for.
    pub batches: u64,
    /// Appends that were tried again.
    pub retries: u64,
    /// Records in the queue and in the batch in flight.
    pub queued_events: usize,
    /// Their bytes in memory.
    pub queued_bytes: usize,
    /// The most records that were there at once.
    pub most_queued_events: usize,
    /// The most bytes that were there at once.
    pub most_queued_bytes: usize,
    /// Calls that have begun and not ended.
    pub open_calls: usize,
}
