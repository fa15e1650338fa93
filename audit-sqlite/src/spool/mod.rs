//! A log on the local disk, ahead of a store that may be slow, down or far away.

mod adopt;
mod backlog;
mod claim;
mod command;
mod config;
mod dead_letter;
mod forwarder;
mod intents;
mod metrics;
mod opened;
mod read;
mod remote;
mod schema;
mod sink;
mod statements;
mod survey;
mod writer;

pub use config::SpoolConfig;
pub use dead_letter::SpooledDeadLetter;
pub use sink::Spool;
pub use survey::SpoolFile;
