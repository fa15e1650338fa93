use tokio::sync::watch;

use super::Direction;

/// What stops the traffic of all connections, or of one.
#[derive(Debug, Default)]
pub(super) struct Gates {
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    is_shut_to_client: bool,
    is_shut_to_server: bool,
    /// Counts the openings, so that one connection that holds still sees the next one.
    n_opened: u64,
}

impl Gates {
    pub(super) fn shut(&self, direction: Direction) {
        self.state.send_modify(|state| match direction {
            Direction::ToClient => state.is_shut_to_client = true,
            Direction::ToServer => state.is_shut_to_server = true,
        });
    }

    pub(super) fn open(&self) {
        self.state.send_modify(|state| {
            *state = State {
                n_opened: state.n_opened + 1,
                ..State::default()
            };
        });
    }

    /// Waits until the way is open.
    pub(super) async fn pass(&self, direction: Direction) {
        self.until(|state| match direction {
            Direction::ToClient => !state.is_shut_to_client,
            Direction::ToServer => !state.is_shut_to_server,
        })
        .await;
    }

    /// A number to wait with in [`opened_since`](Self::opened_since).
    pub(super) fn n_opened(&self) -> u64 {
        self.state.borrow().n_opened
    }

    /// Waits until the gates are opened again.
    pub(super) async fn opened_since(&self, n_opened: u64) {
        self.until(|state| state.n_opened > n_opened).await;
    }

    async fn until(&self, is_so: impl FnMut(&State) -> bool) {
        // The sender is in `self`.
        drop(self.state.subscribe().wait_for(is_so).await);
    }
}
