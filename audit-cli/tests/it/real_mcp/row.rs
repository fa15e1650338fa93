//! One row of the table: played without the proxy and through it.

use std::slice::from_ref;

use uuid::Uuid;

use super::client::Seen;
use super::process::{Proxy, Server, proxy_prefix};
use super::record::{assert_holds, assert_nowhere};

/// A scenario, and whom it is played against; the words are those of `client.py`.
pub(crate) struct Row {
    pub(crate) scenario: &'static str,
    pub(crate) server: &'static str,
    pub(crate) era: &'static str,
    /// `stdio` or `http`.
    pub(crate) way: &'static str,
}

impl Row {
    pub(crate) async fn play(&self) {
        let scratch = tempfile::tempdir().unwrap();
        let pid_file = scratch.path().join("server.pid");
        let folder = scratch.path().join("store");
        std::fs::create_dir(&folder).unwrap();
        let store = folder.join("audit.db");
        // Made now, so that nothing can know it but what has it from the server.
        let marker = format!("marker-{}", Uuid::new_v4().simple());
        let environment = [
            ("AUDIT_TEST_MARKER", marker.as_str()),
            ("AUDIT_TEST_PID_FILE", pid_file.to_str().unwrap()),
        ];

        let direct = self.play_directly(&environment);
        let address = format!("sqlite:{}", store.display());
        let proxied = self.play_through(&address, &environment);
        direct.assert_same(&proxied);
        assert_eq!(direct.expected, proxied.expected);
        assert_holds(&store, proxied.expected).await;
        assert_nowhere(&folder, &marker);
    }

    fn play_directly(&self, environment: &[(&str, &str)]) -> Seen {
        if self.way == "stdio" {
            return Seen::play(self, &[], environment);
        }
        let server = Server::start(self.server, environment);
        Seen::play(self, from_ref(&server.url), environment)
    }

    fn play_through(&self, store: &str, environment: &[(&str, &str)]) -> Seen {
        if self.way == "stdio" {
            return Seen::play(self, &proxy_prefix(store), environment);
        }
        let server = Server::start(self.server, environment);
        let proxy = Proxy::start(store, &server.url);
        let seen = Seen::play(self, from_ref(&proxy.url), environment);
        proxy.stop();
        seen
    }
}
