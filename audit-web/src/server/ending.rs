use tokio::sync::watch;

/// That the server is about to end, for whoever would go on for ever.
#[derive(Clone, Debug)]
pub(crate) struct Ending(watch::Sender<bool>);

impl Ending {
    /// From now on the server ends.
    pub(super) fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Waits until the server is about to end.
    pub(crate) async fn begun(&self) {
        // The sender lives as long as `self`.
        let _ = self.0.subscribe().wait_for(|begun| *begun).await.is_ok();
    }
}

impl Default for Ending {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}
