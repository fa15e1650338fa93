use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Sleep;

use crate::error::{Error, ErrorKind};

/// The runtime around the caller; the message says who needs it, should there be none.
pub(crate) fn current(message: &'static str) -> Result<Handle, Error> {
    Handle::try_current().map_err(|source| Error::with_source(ErrorKind::Invalid, message, source))
}

/// Refuses a runtime without a timer.
pub(crate) fn check_timer(runtime: &Handle) -> Result<(), Error> {
    // The only way to ask for a timer is to begin one.
    let has_timer = std::panic::catch_unwind(|| {
        let _context = runtime.enter();
        drop(tokio::time::sleep(Duration::ZERO));
    });
    has_timer.map_err(|_| {
        let text = "the tokio runtime has no timer: build it with `enable_time`";
        Error::new(ErrorKind::Invalid, text)
    })
}

/// Sleeps by the timer of this runtime: whoever polls it needs none.
pub(crate) fn sleep(runtime: &Handle, duration: Duration) -> Sleep {
    let _context = runtime.enter();
    tokio::time::sleep(duration)
}
