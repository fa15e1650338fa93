//! Sinks and readers that are broken on purpose, each caught by the case that is meant for it.

mod altering;
mod answering;
mod catching;
mod closing;
mod following;
mod keeping;
mod quirk;
mod racing;
mod refusing;
mod table;
