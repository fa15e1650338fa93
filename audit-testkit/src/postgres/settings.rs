use std::env;

use super::{PostgresError, Via};

/// What the environment says about the Postgres for tests.
#[derive(Debug)]
pub(super) struct Settings {
    /// The only way that may be taken: `AUDIT_TEST_POSTGRES`.
    pub(super) forced: Option<Via>,
    /// A server that runs already, and how it was come by: `AUDIT_TEST_DATABASE_URL` and
    /// `AUDIT_TEST_POSTGRES_VIA`.
    pub(super) given: Option<(String, Via)>,
    /// The image's tag: `AUDIT_TEST_POSTGRES_TAG`.
    pub(super) tag: String,
}

impl Settings {
    pub(super) fn from_environment() -> Result<Self, PostgresError> {
        Ok(Self {
            forced: way("AUDIT_TEST_POSTGRES")?,
            given: given()?,
            tag: variable("AUDIT_TEST_POSTGRES_TAG").unwrap_or_else(|| "15".to_owned()),
        })
    }

    /// Whether this way may be taken.
    pub(super) fn allows(&self, via: Via) -> bool {
        self.forced.is_none_or(|forced| forced == via)
    }
}

fn given() -> Result<Option<(String, Via)>, PostgresError> {
    let Some(url) = variable("AUDIT_TEST_DATABASE_URL") else {
        return Ok(None);
    };
    let via = way("AUDIT_TEST_POSTGRES_VIA")?.unwrap_or(Via::Url);
    Ok(Some((url, via)))
}

fn way(name: &str) -> Result<Option<Via>, PostgresError> {
    variable(name)
        .map(|word| word.parse())
        .transpose()
        .map_err(PostgresError::because(format!(
            "the variable {name} cannot be used"
        )))
}

/// A variable that is set to nothing is not set.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
