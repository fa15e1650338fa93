use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::PostgresError;

/// Where the programs of a Postgres server are.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Looks where `AUDIT_TEST_POSTGRES_BIN` and `pg_config` say, then where Debian puts them
    /// (the newest version first), then along `PATH`.
    pub(super) fn find() -> Result<Self, PostgresError> {
        let candidates = candidates();
        let found = candidates
            .iter()
            .find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file());
        if let Some(folder) = found {
            return Ok(Self {
                folder: folder.clone(),
            });
        }
        let mut places: Vec<String> = candidates
            .iter()
            .map(|folder| folder.display().to_string())
            .collect();
        places.push("/usr/lib/postgresql/*/bin".to_owned());
        Err(PostgresError::new(format!(
            "there is no `initdb` beside a `postgres` in {}; install a Postgres server (Debian: \
             `apt-get install postgresql-15`), or name the folder of its programs in \
             AUDIT_TEST_POSTGRES_BIN",
            places.join(", ")
        )))
    }

    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }
}

fn candidates() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = env::var_os("AUDIT_TEST_POSTGRES_BIN")
        .into_iter()
        .map(PathBuf::from)
        .collect();
    folders.extend(told_by_pg_config());
    folders.extend(laid_out_by_debian(Path::new("/usr/lib/postgresql")));
    folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    folders
}

fn told_by_pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(folder.trim())).filter(|_| output.status.success())
}

fn laid_out_by_debian(root: &Path) -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir(root)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    versions
        .into_iter()
        .rev()
        .map(|(_, folder)| folder)
        .collect()
}
