use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::commands::proxy::OnStoreFailure;
use crate::output::{ColorChoice, Format};
use crate::store::{StoreAddress, data_folder};

/// Something that users set once: a key of the configuration file, and the variable that goes before
/// it. The flag of a command has the same variable; that is how both are tied.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) key: &'static str,
    pub(crate) variable: &'static str,
    pub(super) kind: Kind,
}

/// What a setting can be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Color,
    OnStoreFailure,
    Output,
    /// Of a file or folder; one that is relative counts from the folder of the configuration file.
    Path,
    Store,
}

/// All of them, by name.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new("color", "AUDIT_COLOR", Kind::Color),
    Setting::new(
        "on_store_failure",
        "AUDIT_ON_STORE_FAILURE",
        Kind::OnStoreFailure,
    ),
    Setting::new("output", "AUDIT_OUTPUT", Kind::Output),
    Setting::new("policy", "AUDIT_POLICY", Kind::Path),
    Setting::new("spool", "AUDIT_SPOOL", Kind::Path),
    Setting::new("store", "AUDIT_STORE", Kind::Store),
];

impl Setting {
    const fn new(key: &'static str, variable: &'static str, kind: Kind) -> Self {
        Self {
            key,
            variable,
            kind,
        }
    }

    /// What the flag would take, out of the file in this folder; or why it would not.
    pub(super) fn read(&self, text: &str, folder: &Path) -> Result<String, String> {
        match self.kind {
            Kind::Color => ColorChoice::from_str(text, false).map(|_| text.to_owned()),
            Kind::OnStoreFailure => OnStoreFailure::from_str(text, false).map(|_| text.to_owned()),
            Kind::Output => Format::from_str(text, false).map(|_| text.to_owned()),
            Kind::Path => Ok(folder.join(text).to_string_lossy().into_owned()),
            Kind::Store => match text.parse()? {
                StoreAddress::Sqlite(config) if config.path().is_relative() => Err(format!(
                    "this is another file in each folder; write it from the root, as {}",
                    folder.join(config.path()).display()
                )),
                _ => Ok(text.to_owned()),
            },
        }
    }

    /// The value as it may be shown: a store without its password.
    pub(crate) fn shown(&self, value: &str) -> String {
        match self.kind {
            Kind::Store => match value.parse::<StoreAddress>() {
                Ok(address) => address.to_string(),
                Err(_) => "…".to_owned(),
            },
            _ => value.to_owned(),
        }
    }

    /// What holds where nobody says anything.
    pub(crate) fn default(&self) -> Option<String> {
        let in_data_folder =
            |name: &str| -> Option<PathBuf> { Some(data_folder().ok()?.join(name)) };
        match self.key {
            "color" => Some("auto".to_owned()),
            "on_store_failure" => Some("refuse".to_owned()),
            "store" => Some(format!("sqlite:{}", in_data_folder("audit.db")?.display())),
            _ => None,
        }
    }
}
