use std::fs;

use rustix::process::{Pid, Signal, kill_process};

use super::PostgresError;
use super::wait::until;

/// Kills a process and its children with SIGKILL, so that none sees another one die first.
///
/// The parent is held meanwhile: it starts no more children, and does not clear away the dead
/// ones, whose numbers therefore stay theirs.
pub(super) async fn kill_family(parent: u32) -> Result<(), PostgresError> {
    send(parent, Signal::STOP)?;
    until("the server's processes are dead", || {
        let living = living_children(parent);
        for &child in &living {
            // One that has ended since needs no signal.
            drop(send(child, Signal::KILL));
        }
        state(parent) == Some('T') && living.is_empty()
    })
    .await?;
    send(parent, Signal::KILL)
}

fn send(pid: u32, signal: Signal) -> Result<(), PostgresError> {
    i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| PostgresError::new(format!("{pid} is no number of a process")))
        .and_then(|pid| {
            kill_process(pid, signal).map_err(PostgresError::because(format!(
                "cannot send {signal:?} to process {pid:?}"
            )))
        })
}

fn living_children(parent: u32) -> Vec<u32> {
    let list = format!("/proc/{parent}/task/{parent}/children");
    fs::read_to_string(list)
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .filter(|&pid| state(pid).is_some_and(|state| state != 'Z'))
        .collect()
}

/// `R`unning, `S`leeping, s`T`opped, `Z`ombie …; `None` of a process that is not there.
fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it is in parentheses and may hold anything.
    stat.rsplit(')').next()?.trim_start().chars().next()
}
