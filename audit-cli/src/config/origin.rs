use std::collections::BTreeMap;
use std::fmt;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches};

use super::file::ConfigFile;
use super::setting::{SETTINGS, Setting};

/// Who says what a setting is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    Environment,
    File,
    Flag,
}

/// Where each setting of a command line comes from, and what it is.
#[derive(Debug, Default)]
pub(crate) struct Origins(BTreeMap<&'static str, (Origin, Option<String>)>);

impl Origins {
    /// Looks at the command that was named: `arguments` are those that it has.
    pub(crate) fn of<'a>(
        matches: &ArgMatches,
        arguments: impl Iterator<Item = &'a Arg>,
        file: &ConfigFile,
    ) -> Self {
        let mut origins = BTreeMap::new();
        for argument in arguments {
            let Some(setting) = setting_of(argument) else {
                continue;
            };
            let id = argument.get_id().as_str();
            let origin = match matches.value_source(id) {
                Some(ValueSource::CommandLine) => Origin::Flag,
                Some(ValueSource::EnvVariable) => Origin::Environment,
                _ if file.value(setting).is_some() => Origin::File,
                _ => Origin::Default,
            };
            let mut raw = matches.get_raw(id).into_iter().flatten();
            let said = raw.next().map(|value| value.to_string_lossy().into_owned());
            let value = match origin {
                Origin::Default => setting.default(),
                _ => said,
            };
            origins.insert(setting.key, (origin, value));
        }
        Self(origins)
    }

    pub(crate) fn get(&self, setting: &Setting) -> (Origin, Option<&str>) {
        match self.0.get(setting.key) {
            Some((origin, value)) => (*origin, value.as_deref()),
            None => (Origin::Default, None),
        }
    }
}

/// The setting of an argument: that of its variable.
pub(crate) fn setting_of(argument: &Arg) -> Option<&'static Setting> {
    let variable = argument.get_env()?.to_str()?;
    SETTINGS.iter().find(|setting| setting.variable == variable)
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::Environment => "environment",
            Self::File => "file",
            Self::Flag => "flag",
        })
    }
}
