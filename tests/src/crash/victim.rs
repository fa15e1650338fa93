//! The program that is killed.

use std::collections::VecDeque;
use std::sync::Arc;

use audit_core::SystemClock;
use tokio::task::JoinSet;

use super::Failure;
use super::journal::{Journal, Line};
use super::load::Caller;
use super::place::Place;

/// The variable that hands over the address of the database, which holds a password.
pub const DATABASE_URL: &str = "AUDIT_CRASH_DATABASE_URL";

const CALLERS: u64 = 16;

/// Opens loggers at a place and calls tools until it is killed, a line on the standard output for
/// each thing that a caller learns.
///
/// # Errors
/// A logger cannot be opened, or nobody reads the lines any more.
pub async fn run(place: &Place, n_loggers: u64, seed: u64) -> Result<(), Failure> {
    let journal = Arc::new(Journal::open()?);
    let mut callers = JoinSet::new();
    for number in 0..n_loggers {
        let opened = place.open().await?;
        for caller in 0..CALLERS {
            let caller = Caller {
                logger: opened.logger.clone(),
                journal: Arc::clone(&journal),
                has_intents: place.setting.has_intents(),
                waits_for_store: caller % 2 == 0,
                random: Caller::random(seed, number * CALLERS + caller),
                clock: SystemClock::new(),
                open: VecDeque::new(),
            };
            callers.spawn(caller.work());
        }
    }
    journal.write(Line::Opened)?;
    match callers.join_next().await {
        Some(ended) => ended?,
        None => Ok(()),
    }
}
