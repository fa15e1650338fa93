use std::fs;
use std::path::PathBuf;

use super::PostgresError;
use super::account::Account;
use crate::SmallDisk;

impl SmallDisk {
    /// Makes a folder on it that belongs to the user under whom servers run: for a tablespace, or
    /// for a data directory.
    ///
    /// # Errors
    /// If the folder is there already, or the disk is full.
    pub fn folder(&self, name: &str) -> Result<PathBuf, PostgresError> {
        let folder = self.path().join(name);
        fs::create_dir(&folder).map_err(PostgresError::because(format!(
            "cannot make {}",
            folder.display()
        )))?;
        Account::find()?.own(&folder)?;
        Ok(folder)
    }
}
