//! Settings: by flag, by environment, by the configuration file, or by default, in this order.

mod file;
mod origin;
mod setting;

pub(crate) use file::ConfigFile;
pub(crate) use origin::{Origin, Origins, setting_of};
pub(crate) use setting::{SETTINGS, Setting};
