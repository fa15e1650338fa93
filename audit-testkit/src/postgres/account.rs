use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::PostgresError;

/// The user under whom servers run: Postgres refuses to be root.
#[derive(Clone, Copy, Debug)]
pub(super) enum Account {
    /// Whoever runs the tests.
    Own,
    /// Root runs the tests, and servers run as somebody else.
    Other {
        /// The user's number.
        user: u32,
        /// The number of the user's first group.
        group: u32,
    },
}

impl Account {
    pub(super) fn find() -> Result<Self, PostgresError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Own);
        }
        let users = fs::read_to_string("/etc/passwd")
            .map_err(PostgresError::because("cannot read /etc/passwd"))?;
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| look_up(&users, name))
            .ok_or_else(|| {
                PostgresError::new(
                    "the tests run as root, Postgres refuses to, and there is neither a user \
                     `postgres` nor a user `nobody` to run it: add one, or run the tests as \
                     another user",
                )
            })
    }

    /// A command of this program, run by this user.
    pub(super) fn command(self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        if let Self::Other { user, group } = self {
            command.uid(user).gid(group);
        }
        command
    }

    /// Makes this user the owner of a file or folder.
    pub(super) fn own(self, path: &Path) -> Result<(), PostgresError> {
        let Self::Other { user, group } = self else {
            return Ok(());
        };
        std::os::unix::fs::chown(path, Some(user), Some(group)).map_err(PostgresError::because(
            format!("cannot give {} to the server's user", path.display()),
        ))
    }
}

fn look_up(users: &str, name: &str) -> Option<Account> {
    let fields: Vec<&str> = users
        .lines()
        .map(|line| line.split(':').collect())
        .find(|fields: &Vec<&str>| fields.first() == Some(&name))?;
    Some(Account::Other {
        user: fields.get(2)?.parse().ok()?,
        group: fields.get(3)?.parse().ok()?,
    })
}
