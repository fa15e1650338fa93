//! The spool before a store that may be away.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit_core::AuditSink;
use audit_sqlite::{Spool, SpoolConfig};
use sha2::{Digest as _, Sha256};

use super::{StoreAddress, data_folder, make_private};
use crate::failure::Failure;

/// The folder that the user named, or that of the store: what waits in a spool goes to the store before
/// which it is opened, so each has one of its own.
pub(crate) fn folder(said: Option<&Path>, address: &StoreAddress) -> Result<PathBuf, Failure> {
    match said {
        Some(folder) => Ok(folder.to_owned()),
        None => Ok(data_folder()?.join(format!("spool-{}", digest_of(address)))),
    }
}

/// Opens the spool of a store.
pub(crate) async fn open(
    said: Option<&Path>,
    address: &StoreAddress,
    store: Arc<dyn AuditSink>,
) -> Result<Spool, Failure> {
    let folder = folder(said, address)?;
    make_private(&folder)?;
    Spool::open(SpoolConfig::new(&folder), store)
        .await
        .map_err(|error| {
            Failure::because(
                format!("the spool {} cannot be used", folder.display()),
                &error,
            )
            .advice("name another folder: --spool FOLDER")
        })
}

fn digest_of(address: &StoreAddress) -> String {
    let digest = Sha256::digest(address.to_string());
    digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
