//! The dashboard as people use it: Chromium, real clicks and keys, one server, one store.
//!
//! They want Chromium, its driver, and what `.ci/install-web` installs.

mod chrome;
mod site;
