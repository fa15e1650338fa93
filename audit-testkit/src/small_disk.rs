use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

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
    pub fn mount(bytes: u64) -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("audit-test-disk-")
            .tempdir()?
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
            .spawn()?;
        let mut disk = Self { shell, folder };
        disk.until_mounted()?;
        Ok(disk)
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder
    }

    fn until_mounted(&mut self) -> io::Result<()> {
        let mut line = String::new();
        if let Some(answers) = self.shell.stdout.take() {
            BufReader::new(answers).read_line(&mut line)?;
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
        Err(io::Error::other(format!(
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
