use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::PostgresError;
use super::account::Account;

/// A disk that is soon full: a file system of a few megabytes, in memory.
///
/// Mounting takes root's rights. `cargo xtask test` leaves tests out, and says so, whose names
/// contain `needs_root`, when it may not mount.
///
/// It is unmounted when this is dropped and when this process ends, also by `kill -9`.
#[derive(Debug)]
pub struct SmallDisk {
    shell: Child,
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts a file system of so many bytes.
    ///
    /// # Errors
    /// If that is not permitted.
    pub fn mount(bytes: u64) -> Result<Self, PostgresError> {
        let folder = tempfile::Builder::new()
            .prefix("audit-test-disk-")
            .tempdir()
            .map_err(PostgresError::because("cannot make a temporary folder"))?
            .keep();
        let shell = Command::new("/bin/sh")
            .args(["-c", include_str!("small_disk.sh"), "small_disk"])
            .arg(&folder)
            .arg(bytes.to_string())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C, and a runner of tests that kills a group, leave it to do its work.
            .process_group(0)
            .spawn()
            .map_err(PostgresError::because("cannot start /bin/sh"))?;
        let mut disk = Self { shell, folder };
        disk.until_mounted()?;
        Ok(disk)
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Makes a folder on it that belongs to the user under whom servers run: for a tablespace, or
    /// for a data directory.
    ///
    /// # Errors
    /// If the folder is there already, or the disk is full.
    pub fn folder(&self, name: &str) -> Result<PathBuf, PostgresError> {
        let folder = self.folder.join(name);
        fs::create_dir(&folder).map_err(PostgresError::because(format!(
            "cannot make {}",
            folder.display()
        )))?;
        Account::find()?.own(&folder)?;
        Ok(folder)
    }

    fn until_mounted(&mut self) -> Result<(), PostgresError> {
        let mut line = String::new();
        if let Some(answers) = self.shell.stdout.take() {
            BufReader::new(answers)
                .read_line(&mut line)
                .map_err(PostgresError::because("the shell that mounts has ended"))?;
        }
        if line.trim() == "mounted" {
            return Ok(());
        }
        let mut reason = String::new();
        drop(self.shell.stdin.take());
        if let Some(mut errors) = self.shell.stderr.take() {
            // What cannot be read is missing from a message, no more.
            drop(errors.read_to_string(&mut reason));
        }
        Err(PostgresError::new(format!(
            "a small disk cannot be mounted, which only root may: {}; run as root, or leave out \
             the tests named needs_root as `cargo xtask test` does",
            reason.trim()
        )))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // This end closed, the shell unmounts.
        drop(self.shell.stdin.take());
        // Should waiting fail there is nobody left to wait for.
        drop(self.shell.wait());
    }
}
