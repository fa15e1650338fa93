use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use toml::Spanned;

use super::setting::{SETTINGS, Setting};
use crate::failure::{Exit, Failure};

/// The configuration file, its values as flags would take them.
#[derive(Debug, Default)]
pub(crate) struct ConfigFile {
    /// None, where there is none.
    path: Option<PathBuf>,
    values: BTreeMap<&'static str, String>,
}

/// The least likeness of a word that is suggested.
const ALIKE: f64 = 0.7;

impl ConfigFile {
    /// Reads the file that the user names, or else the usual one, which need not be there.
    pub(crate) fn read(said: Option<&Path>) -> Result<Self, Failure> {
        let path = match said {
            Some(path) => path.to_owned(),
            None => match usual_path() {
                Some(path) => path,
                None => return Ok(Self::default()),
            },
        };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return match said {
                    None => Ok(Self::default()),
                    Some(_) => Err(unreadable(&path, &error).exit(Exit::NotFound)),
                };
            }
            Err(error) => return Err(unreadable(&path, &error)),
        };
        let values = values(&text, path.parent().unwrap_or_else(|| Path::new("")));
        let values = values.map_err(|problem| {
            Failure::new(format!("{}: {problem}", path.display())).exit(Exit::Usage)
        })?;
        Ok(Self {
            path: Some(path),
            values,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    pub(crate) fn value(&self, setting: &Setting) -> Option<&str> {
        self.values.get(setting.key).map(String::as_str)
    }
}

/// Where a user's configuration lies: `$XDG_CONFIG_HOME/audit/config.toml`.
pub(crate) fn usual_path() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.config_dir().join("audit").join("config.toml"))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let what = format!("the configuration {} cannot be read", path.display());
    Failure::because(what, error)
}

fn values(text: &str, folder: &Path) -> Result<BTreeMap<&'static str, String>, String> {
    let table: BTreeMap<String, Spanned<toml::Value>> = toml::from_str(text).map_err(|error| {
        // The error's own text quotes the line, in which a password may stand.
        let place = error.span().map_or(0, |span| span.start);
        format!("line {}: {}", line_of(text, place), error.message())
    })?;
    let mut values = BTreeMap::new();
    for (key, value) in &table {
        let line = line_of(text, value.span().start);
        let Some(setting) = SETTINGS.iter().find(|it| it.key == key) else {
            return Err(format!(
                "line {line}: there is no setting {key:?}{}",
                instead(key)
            ));
        };
        let Some(value) = value.get_ref().as_str() else {
            return Err(format!("line {line}: {key} is a text, in quotes"));
        };
        let value = setting
            .read(value, folder)
            .map_err(|problem| format!("line {line}: {key}: {problem}"))?;
        values.insert(setting.key, value);
    }
    Ok(values)
}

fn line_of(text: &str, place: usize) -> usize {
    let before = text.as_bytes().iter().take(place);
    1 + before.filter(|byte| **byte == b'\n').count()
}

/// The setting that was meant, or which there are.
fn instead(key: &str) -> String {
    let alike = |it: &&Setting| strsim::jaro_winkler(it.key, key);
    let best = SETTINGS.iter().max_by(|a, b| alike(a).total_cmp(&alike(b)));
    match best.filter(|best| alike(best) >= ALIKE) {
        Some(best) => format!(": did you mean {}?", best.key),
        None => {
            let keys: Vec<&str> = SETTINGS.iter().map(|it| it.key).collect();
            format!("; there are {}", keys.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_flags_would_take_them() {
        let text = "store = \"sqlite:/a.db\"\npolicy = \"p.toml\"\nspool = \"/var/spool\"\n";
        let values = values(text, Path::new("/etc/audit")).unwrap();
        assert_eq!(values["store"], "sqlite:/a.db");
        assert_eq!(values["policy"], "/etc/audit/p.toml");
        assert_eq!(values["spool"], "/var/spool");
    }

    #[test]
    fn each_mistake_is_told_with_its_line() {
        for (text, says) in [
            (
                "\nstor = \"x\"\n",
                "line 2: there is no setting \"stor\": did you mean store?",
            ),
            ("zzz = 1\n", "there are color, on_store_failure"),
            ("store = 1\n", "line 1: store is a text"),
            (
                "store = \"mysql:x\"\n",
                "line 1: store: a store is sqlite:PATH",
            ),
            (
                "store = \"sqlite:a.db\"\n",
                "line 1: store: this is another file in each folder; write it from the root, as /a.db",
            ),
            ("color = \"blue\"\n", "line 1: color: "),
            ("output = \n", "line 1: "),
        ] {
            let error = values(text, Path::new("/")).unwrap_err();
            assert!(error.contains(says), "{text:?}: {error}");
        }
        let secret = "store = \"postgres://me:hush@h/db?nonsense=1\"\n";
        let error = values(secret, Path::new("/")).unwrap_err();
        assert!(!error.contains("hush"), "{error}");
    }
}
