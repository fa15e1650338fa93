//! The spool, before memory stores that do as they are told.

mod conformance;
mod faults;
mod forwarding;
mod intents;
mod logger;
mod refusing;
mod room;
mod support;
mod taking_over;
