//! `config`, `completions`, `man`, colors.

use std::fs;

use audit_testkit::fixture;
use serde_json::Value;

use crate::store::{Store, audit, ran};

/// The settings that are shown, by name.
fn shown(arguments: &[&str], environment: &[(&str, &str)]) -> Vec<(String, Value, String)> {
    let mut command = audit(&[&["config", "show", "-o", "json"], arguments].concat());
    for (name, value) in environment {
        command.env(name, value);
    }
    let ran = ran(command);
    assert_eq!(ran.code, 0, "{ran:?}");
    let rows: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
    rows.iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            (text("setting"), row["value"].clone(), text("origin"))
        })
        .collect()
}

fn origin_of(rows: &[(String, Value, String)], name: &str) -> (Value, String) {
    let row = rows.iter().find(|(setting, _, _)| setting == name).unwrap();
    (row.1.clone(), row.2.clone())
}

#[test]
fn a_flag_goes_before_the_environment_before_the_file_before_the_default() {
    let store = Store::none();
    let file = store.beside("config.toml");
    fs::write(&file, "store = \"sqlite:/file.db\"\npolicy = \"p.toml\"\n").unwrap();
    let file = ("AUDIT_CONFIG", file.to_str().unwrap());
    let by_variable = ("AUDIT_STORE", "sqlite:variable.db");

    let rows = shown(&[], &[]);
    let (value, origin) = origin_of(&rows, "store");
    assert!(value.as_str().unwrap().ends_with("audit.db"), "{value}");
    assert_eq!(origin, "default");
    assert_eq!(
        origin_of(&rows, "output"),
        ("json".into(), "flag".to_owned())
    );
    assert_eq!(
        origin_of(&rows, "spool"),
        (Value::Null, "default".to_owned())
    );

    let rows = shown(&[], &[file]);
    assert_eq!(
        origin_of(&rows, "store"),
        ("sqlite:/file.db".into(), "file".to_owned())
    );
    let policy = store.beside("p.toml").to_str().unwrap().to_owned();
    assert_eq!(
        origin_of(&rows, "policy"),
        (policy.into(), "file".to_owned())
    );

    let rows = shown(&[], &[file, by_variable]);
    let expected = ("sqlite:variable.db".into(), "environment".to_owned());
    assert_eq!(origin_of(&rows, "store"), expected);

    let rows = shown(&["--store", "sqlite:flag.db"], &[file, by_variable]);
    assert_eq!(
        origin_of(&rows, "store"),
        ("sqlite:flag.db".into(), "flag".to_owned())
    );
}

/// A setting, its variable, its flag, and values for file, variable and flag.
const SETTINGS: &[(&str, &str, &str, [&str; 3])] = &[
    (
        "color",
        "AUDIT_COLOR",
        "--color",
        ["always", "never", "auto"],
    ),
    (
        "on_store_failure",
        "AUDIT_ON_STORE_FAILURE",
        "--on-store-failure",
        ["pass", "refuse", "pass"],
    ),
    (
        "output",
        "AUDIT_OUTPUT",
        "--output",
        ["csv", "table", "json"],
    ),
    (
        "policy",
        "AUDIT_POLICY",
        "--policy",
        ["/a.toml", "/b.toml", "/c.toml"],
    ),
    ("spool", "AUDIT_SPOOL", "--spool", ["/a", "/b", "/c"]),
    (
        "store",
        "AUDIT_STORE",
        "--store",
        ["sqlite:/a.db", "sqlite:/b.db", "sqlite:/c.db"],
    ),
];

#[test]
fn every_setting_has_the_same_order() {
    let store = Store::none();
    let file = store.beside("config.toml");
    for (name, variable, flag, [in_file, in_variable, in_flag]) in SETTINGS {
        fs::write(&file, format!("{name} = {in_file:?}\n")).unwrap();
        let file = file.to_str().unwrap();
        let shown = |flags: &[&str], environment: Option<&str>| {
            let mut command = audit(&[&["config", "show", "--config", file], flags].concat());
            if let Some(value) = environment {
                command.env(variable, value);
            }
            ran(command).out
        };
        for (out, value, origin) in [
            (shown(&[], None), in_file, "file"),
            (shown(&[], Some(in_variable)), in_variable, "environment"),
            (shown(&[flag, in_flag], Some(in_variable)), in_flag, "flag"),
        ] {
            let is_of_it = |line: &&str| {
                let mut words = line.split(|it: char| !it.is_alphanumeric() && it != '_');
                words.any(|word| word == *name)
            };
            let line = out.lines().find(is_of_it).unwrap();
            assert!(
                line.contains(value) && line.contains(origin),
                "{name}: {line}"
            );
        }
    }
}

#[tokio::test]
async fn a_command_takes_what_the_file_says() {
    let store = Store::with(&fixture::events(1..=3)).await;
    let file = store.beside("config.toml");
    let text = format!("store = {:?}\noutput = \"csv\"\n", store.address());
    fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let asked = ran(audit(&["events", "--config", file, "--fields", "seq"]));
    assert_eq!(
        (asked.code, asked.out.as_str()),
        (0, "seq\n3\n2\n1\n"),
        "{asked:?}"
    );
    let asked = ran(audit(&[
        "events", "--config", file, "--fields", "seq", "-o", "jsonl", "-n", "1",
    ]));
    assert_eq!(asked.out, "{\"seq\":3}\n", "{asked:?}");
}

#[test]
fn a_password_is_never_shown() {
    let store = Store::none();
    let file = store.beside("config.toml");
    fs::write(
        &file,
        "store = \"postgres://me:hush-hush@db.internal/audit\"\n",
    )
    .unwrap();
    let config = ran(audit(&[
        "config",
        "show",
        "--config",
        file.to_str().unwrap(),
    ]));
    assert_eq!(config.code, 0, "{config:?}");
    assert!(
        config.out.contains("postgres://me@db.internal/audit"),
        "{config:?}"
    );
    assert!(!config.out.contains("hush"), "{config:?}");
    let flag = ran(audit(&[
        "config",
        "show",
        "--store",
        "postgres://me:hush-hush@db.internal/audit",
    ]));
    assert!(flag.err.contains("see the password in --store"), "{flag:?}");
    assert!(
        !flag.out.contains("hush") && !flag.err.contains("hush"),
        "{flag:?}"
    );
}

#[test]
fn a_file_that_says_what_there_is_not_is_refused() {
    let store = Store::none();
    let file = store.beside("config.toml");
    fs::write(&file, "\nstor = \"sqlite:x\"\n").unwrap();
    let config = ran(audit(&[
        "config",
        "show",
        "--config",
        file.to_str().unwrap(),
    ]));
    assert_eq!((config.code, config.out.as_str()), (2, ""), "{config:?}");
    assert!(
        config
            .err
            .contains("line 2: there is no setting \"stor\": did you mean store?"),
        "{config:?}"
    );
    let config = ran(audit(&[
        "config",
        "show",
        "--config",
        "/nowhere/config.toml",
    ]));
    assert_eq!(config.code, 3, "{config:?}");
}

#[tokio::test]
async fn colors_are_for_terminals_unless_somebody_wants_them() {
    let store = Store::with(&fixture::events(1..=1)).await;
    let table = ["events", "-o", "table"];
    assert!(!store.audit(&table).out.contains('\u{1b}'));
    let always = store.audit(&["events", "-o", "table", "--color", "always"]);
    assert!(always.out.contains("\u{1b}["), "{always:?}");
    let mut command = store.command(&table);
    command.env("NO_COLOR", "1");
    assert!(!ran(command).out.contains('\u{1b}'));
}

#[test]
fn shells_complete_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = ran(audit(&["completions", shell]));
        assert_eq!((script.code, script.err.as_str()), (0, ""), "{script:?}");
        for command in ["events", "export", "dead-letters", "retention"] {
            assert!(script.out.contains(command), "{shell}: {command}");
        }
    }
    assert_eq!(ran(audit(&["completions", "cmd"])).code, 2);
}

#[test]
fn bash_takes_its_script_and_completes_a_command() {
    let script = ran(audit(&["completions", "bash"])).out;
    let mut bash = std::process::Command::new("bash");
    let ask = "COMP_WORDS=(audit dead-l); COMP_CWORD=1; _audit audit dead-l audit; \
               echo \"${COMPREPLY[@]}\"";
    bash.args(["--norc", "-e", "-c", &format!("{script}\n{ask}")]);
    let ran = ran(bash);
    assert_eq!(
        (ran.code, ran.out.as_str(), ran.err.as_str()),
        (0, "dead-letters\n", ""),
    );
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let page = ran(audit(&["man"]));
    assert_eq!((page.code, page.err.as_str()), (0, ""));
    assert!(page.out.contains(".TH audit 1"), "{}", page.out);
    let store = Store::none();
    let folder = store.beside("man");
    fs::create_dir(&folder).unwrap();
    let pages = ran(audit(&["man", "--to", folder.to_str().unwrap()]));
    assert_eq!((pages.code, pages.out.as_str()), (0, ""), "{pages:?}");
    for name in ["audit", "audit-export", "audit-retention-hold-place"] {
        let page = fs::read_to_string(folder.join(format!("{name}.1"))).unwrap();
        assert!(page.contains(&format!(".TH {name} 1")), "{name}");
    }
    assert_eq!(ran(audit(&["man", "--to", "/nowhere/man"])).code, 1);

    let mut man = std::process::Command::new("man");
    man.env("MANWIDTH", "80").env("LC_ALL", "C.UTF-8");
    man.args(["--warnings", "-l"])
        .arg(folder.join("audit-export.1"));
    let page = ran(man);
    assert_eq!((page.code, page.err.as_str()), (0, ""), "{page:?}");
    assert!(page.out.contains("--resume"), "{page:?}");
}
