//! `export` that is killed, stopped, or out of room, and goes on.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use audit_testkit::{SmallDisk, fixture};
use rustix::process::{Pid, Signal, kill_process};

use crate::store::{Ran, Store};

/// So many that their export takes a while: chunks by the dozen, and frames by the handful.
const N_EVENTS: u64 = 12_000;

/// A process that a signal has ended has no code.
const KILLED: i32 = -1;

async fn store() -> Store {
    let events = fixture::events(1..=N_EVENTS);
    Store::with(&events).await
}

/// An export of everything that nobody interrupts.
fn whole(store: &Store, form: &[&str]) -> Vec<u8> {
    let file = store.beside("whole");
    let to = ["export", "--to", file.to_str().unwrap()];
    assert_eq!(store.audit(&[&to[..], form].concat()).code, 0);
    let bytes = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    bytes
}

/// Starts a command, and waits until the file has so many bytes; or until it has ended.
fn start_until(mut command: Command, file: &PathBuf, n_bytes: u64) -> Child {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while child.try_wait().unwrap().is_none() {
        if fs::metadata(file).is_ok_and(|it| it.len() >= n_bytes) {
            break;
        }
        std::thread::yield_now();
    }
    child
}

fn ended(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    Ran {
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code().unwrap_or(KILLED),
    }
}

#[tokio::test]
async fn killed_again_and_again_it_ends_with_the_same_bytes() {
    let store = store().await;
    for form in [
        &["--format", "jsonl"][..],
        &["--format", "csv"],
        &["--zstd"],
    ] {
        let whole = whole(&store, form);
        let file = store.beside("x");
        let to = ["export", "--to", file.to_str().unwrap()];
        let resume = [&to[..], &["--resume"]].concat();
        let mut n_killed = 0;
        for sixteenth in [1, 2, 5, 6, 9, 11] {
            let part = whole.len() as u64 * sixteenth / 16;
            let command = match n_killed {
                0 => store.command(&[&to[..], form].concat()),
                _ => store.command(&resume),
            };
            let mut child = start_until(command, &store.beside("x.partial"), part);
            child.kill().unwrap();
            n_killed += u32::from(ended(child).code == KILLED);
            if file.exists() {
                // It was faster than whoever was to kill it.
                break;
            }
        }
        assert!(n_killed > 0, "{form:?}");
        let ran = store.audit(&resume);
        assert!(matches!(ran.code, 0 | 3), "{ran:?}");
        assert!(fs::read(&file).unwrap() == whole, "{form:?}");
        assert!(!store.beside("x.partial").exists());
        fs::remove_file(&file).unwrap();
    }
}

#[tokio::test]
async fn who_stops_it_is_told_how_it_goes_on() {
    let store = store().await;
    let whole = whole(&store, &[]);
    let file = store.beside("x");
    let to = file.to_str().unwrap();
    for signal in [Signal::INT, Signal::TERM] {
        // On a busy machine it may be faster than whoever is to stop it.
        let stopped = (0..20).find_map(|_| {
            let command = store.command(&["export", "--to", to]);
            let child = start_until(command, &store.beside("x.partial"), 1);
            // One that has ended may not be there any more.
            let _ = kill_process(Pid::from_child(&child), signal);
            let ran = ended(child);
            if ran.code == 0 {
                fs::remove_file(&file).unwrap();
            }
            (ran.code != 0).then_some(ran)
        });
        let ran = stopped.expect("one of twenty is stopped in time");
        assert_eq!(ran.code, 5, "{ran:?}");
        let says = format!("audit export --resume --to {to} goes on with it");
        assert!(
            ran.err.contains("was interrupted") && ran.err.contains(&says),
            "{ran:?}"
        );
        assert!(!file.exists());
        let ran = store.audit(&["export", "--resume", "--to", to]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(fs::read(&file).unwrap() == whole, "{signal:?}");
        fs::remove_file(&file).unwrap();
    }
}

#[tokio::test]
async fn needs_root_a_full_disk_leaves_a_part_to_go_on_with() {
    let store = store().await;
    let whole = whole(&store, &[]);
    let disk = SmallDisk::mount(whole.len() as u64 * 3 / 2).unwrap();
    let ballast = disk.path().join("ballast");
    fs::write(&ballast, vec![0; whole.len()]).unwrap();
    let file = disk.path().join("x.jsonl");
    let to = file.to_str().unwrap();
    let ran = store.audit(&["export", "--to", to]);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(
        ran.err.contains("No space left") && ran.err.contains("--resume"),
        "{ran:?}"
    );
    assert!(!file.exists());
    fs::remove_file(&ballast).unwrap();
    assert_eq!(store.audit(&["export", "--resume", "--to", to]).code, 0);
    assert!(fs::read(&file).unwrap() == whole);
}

/// An export of three events that was killed at once.
async fn begun(name: &str) -> (Store, PathBuf, PathBuf) {
    let store = Store::with(&fixture::events(1..=3)).await;
    let file = store.beside(name);
    let partial = store.beside(&format!("{name}.partial"));
    fs::write(&partial, "").unwrap();
    write_plan(&store, name, false);
    (store, file, partial)
}

fn write_plan(store: &Store, name: &str, replace: bool) {
    let plan = serde_json::json!({
        "version": 1,
        "store": store.address(),
        "asked": "",
        "filter": "",
        "format": "jsonl",
        "zstd": false,
        "through": fixture::event(3).id.to_string(),
        "replace": replace,
    });
    fs::write(store.beside(&format!("{name}.plan")), plan.to_string()).unwrap();
}

#[tokio::test]
async fn two_processes_do_not_write_to_one_file() {
    let (store, file, partial) = begun("x").await;
    let other = File::options().append(true).open(&partial).unwrap();
    other.lock().unwrap();
    for how in ["--resume", "--force"] {
        let ran = store.audit(&["export", "--to", file.to_str().unwrap(), how]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains("another process exports to"), "{ran:?}");
        assert!(partial.exists() && !file.exists());
    }
    drop(other);
    let ran = store.audit(&["export", "--to", file.to_str().unwrap(), "--resume"]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[tokio::test]
async fn the_form_of_an_interrupted_export_stays() {
    let (store, file, _) = begun("x").await;
    let resume = ["export", "--resume", "--to", file.to_str().unwrap()];
    for (form, says) in [
        (&["--format", "csv"][..], "is one of jsonl, and not of csv"),
        (&["--zstd"], "is not compressed"),
    ] {
        let ran = store.audit(&[&resume[..], form].concat());
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains(says), "{ran:?}");
    }
    let ran = store.audit(&[&resume[..], &["--format", "jsonl"]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[tokio::test]
async fn a_file_that_came_meanwhile_is_not_overwritten() {
    let (store, file, partial) = begun("x").await;
    fs::write(&file, "mine").unwrap();
    let resume = ["export", "--resume", "--to", file.to_str().unwrap()];
    let ran = store.audit(&resume);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.err.contains("move it away"), "{ran:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    assert!(partial.exists());
    // Whoever said --force at the beginning meant it for the end.
    write_plan(&store, "x", true);
    assert_eq!(store.audit(&resume).code, 0);
    assert_ne!(fs::read_to_string(&file).unwrap(), "mine");
}

#[tokio::test]
async fn half_of_what_an_export_leaves_is_not_gone_on_with() {
    let (store, file, partial) = begun("x").await;
    let to = file.to_str().unwrap();
    fs::remove_file(store.beside("x.plan")).unwrap();
    let ran = store.audit(&["export", "--resume", "--to", to]);
    assert_eq!(ran.code, 3, "{ran:?}");
    let ran = store.audit(&["export", "--to", to]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("begin anew: --force"), "{ran:?}");
    fs::remove_file(&partial).unwrap();
    write_plan(&store, "x", false);
    let ran = store.audit(&["export", "--resume", "--to", to]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(store.audit(&["export", "--to", to, "tool:none"]).code, 0);
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 1);
    assert!(!store.beside("x.plan").exists());
}

#[tokio::test]
async fn what_was_exported_goes_through_no_link_and_is_for_its_owner_alone() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let store = Store::with(&fixture::events(1..=3)).await;
    let (file, elsewhere) = (store.beside("x"), store.beside("elsewhere"));
    let to = file.to_str().unwrap();
    for name in ["x.partial", "x.plan", "x"] {
        symlink(&elsewhere, store.beside(name)).unwrap();
    }
    assert_eq!(store.audit(&["export", "--to", to]).code, 2);
    let ran = store.audit(&["export", "--to", to, "--force"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!elsewhere.exists());
    let metadata = file.symlink_metadata().unwrap();
    assert!(metadata.is_file());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);

    // A part that others could read does not become the file.
    fs::write(store.beside("x.partial"), "").unwrap();
    fs::set_permissions(store.beside("x.partial"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(store.audit(&["export", "--to", to, "--force"]).code, 0);
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[tokio::test]
async fn a_name_that_no_file_can_get_is_refused_before_anything_is_read() {
    let store = Store::none();
    let folder = store.beside("folder");
    fs::create_dir(&folder).unwrap();
    for to in [folder.to_str().unwrap(), "new/", "..", "/dev/null"] {
        let ran = store.audit(&["export", "--to", to, "--force"]);
        assert_eq!(ran.code, 2, "{to:?}: {ran:?}");
        assert!(ran.err.contains("name a file"), "{ran:?}");
    }
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

#[tokio::test]
async fn who_reads_no_more_has_not_all_of_it() {
    let store = store().await;
    let mut command = store.command(&["export", "--to", "-"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{output:?}");
}
