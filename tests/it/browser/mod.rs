//! The dashboard as people use it: Chromium, real clicks and keys, one server, one store.
//!
//! They want Chromium with its driver, and axe-core: `.ci/install-packages` and `.ci/install-web`.

mod chrome;
mod recorded;
mod site;

mod access;
mod cross_site;
mod hostile;
mod keyboard;
mod live;
mod looks;
mod plain;
