use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

/// A gate that a test opens: whoever comes before has to wait, and the test knows who came.
///
/// With it a test holds an operation for as long as it likes, without sleeping. A clone is
/// another handle to the same gate.
#[derive(Clone)]
pub struct Gate {
    state: Arc<watch::Sender<State>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    is_open: bool,
    n_arrived: usize,
}

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: Arc::new(watch::Sender::new(State::default())),
        }
    }

    /// Lets pass whoever waits, and whoever comes.
    pub fn open(&self) {
        self.state.send_modify(|state| state.is_open = true);
    }

    /// Holds whoever comes from now on.
    pub fn shut(&self) {
        self.state.send_modify(|state| state.is_open = false);
    }

    /// Waits until so many came since the gate was made, whether they passed or not.
    pub async fn arrived(&self, n_arrived: usize) {
        self.wait_until(|state| state.n_arrived >= n_arrived).await;
    }

    /// Comes to the gate, and waits until it is open.
    pub async fn pass(&self) {
        self.state.send_modify(|state| state.n_arrived += 1);
        self.wait_until(|state| state.is_open).await;
    }

    async fn wait_until(&self, is_so: impl FnMut(&State) -> bool) {
        let mut state = self.state.subscribe();
        // The sender lives as long as this handle.
        let _state = state
            .wait_for(is_so)
            .await
            .expect("the gate is still there");
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = *self.state.borrow();
        f.debug_struct("Gate")
            .field("is_open", &state.is_open)
            .field("n_arrived", &state.n_arrived)
            .finish()
    }
}
