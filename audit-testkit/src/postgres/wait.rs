use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::PostgresError;

const PATIENCE: Duration = Duration::from_secs(60);
const INTERVAL: Duration = Duration::from_millis(10);

/// Waits for something that tells nobody when it comes about: looks again and again, for a minute.
pub(super) async fn until(
    what: impl Into<String>,
    is_so: impl Fn() -> bool,
) -> Result<(), PostgresError> {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        if Instant::now() > deadline {
            return Err(PostgresError::new(format!(
                "waited {PATIENCE:?} in vain until {}",
                what.into()
            )));
        }
        sleep(INTERVAL).await;
    }
    Ok(())
}
