//! Between a client and the server that it would have started itself.

use std::ffi::OsString;
use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use audit_core::event::Upstream;
use audit_mcp::conversation::{Conversation, Origin, Side};
use audit_mcp::relay::Relay;
use tokio::time::interval;

use super::Identity;
use super::child::{self, Hurry, Server};
use super::end_of_input::EndOfInput;
use super::recorder::{Options, Recorder};
use crate::failure::Failure;
use crate::signals::Signals;

/// Programs that run a package, whose name says more than their own.
const RUNNERS: [&str; 3] = ["bunx", "npx", "uvx"];

/// How often it is looked whether the last answers are out.
const LOOK: Duration = Duration::from_millis(50);

pub(crate) async fn run(
    command: Vec<OsString>,
    upstream_name: Option<Upstream>,
    identity: Identity,
    options: Options,
) -> Result<ExitCode, Failure> {
    let mut signals = Signals::new()?;
    let recorder = Recorder::open(&options).await?;
    let (mut server, stdin, stdout) = Server::start(&command)?;
    let upstream = upstream_name.unwrap_or_else(|| name_of(&command));
    let conversation = Conversation::builder(recorder.logger().clone())
        .upstream(upstream)
        .unrecorded(options.on_store_failure.unrecorded())
        .build();
    let relay = Relay::new(conversation.clone()).client(identity.origin());
    let mut hurry = Hurry::None;
    let (input, end_of_input) = EndOfInput::of(tokio::io::stdin());
    {
        let relaying = relay.run((input, tokio::io::stdout()), (stdout, stdin));
        let mut relaying = pin!(relaying);
        let left = async {
            end_of_input.reached().await;
            all_answered(&conversation).await;
        };
        tokio::select! {
            relayed = &mut relaying => {
                if let Some(error) = relayed.error {
                    tracing::info!(%error, ended_by = ?relayed.ended_by, "the connection broke off");
                }
            }
            // A client that was not told of the end is told by the end of its server.
            () = signals.next() => {
                hurry = Hurry::Signal;
                conversation.gone(Side::Client);
            }
            // Its client has left and has all its answers: a server that stays is ended, and what
            // it still says is handed on.
            () = left => {
                let (_, status) = tokio::join!(relaying, server.end(hurry));
                status?;
            }
        }
    }
    // Its input is closed by now.
    let status = server.end(hurry).await?;
    drop((relay, conversation));
    recorder.close().await?;
    Ok(child::exit_code(status))
}

/// Waits until no call is in flight.
async fn all_answered(conversation: &Conversation) {
    let mut look = interval(LOOK);
    loop {
        look.tick().await;
        if conversation.counters().in_flight == 0 {
            return;
        }
    }
}

impl Identity {
    fn origin(self) -> Origin {
        let mut origin = Origin::new();
        if let Some(id) = self.api_key_id {
            origin = origin.draft(|draft| draft.api_key_id(id));
        }
        match self.role {
            Some(role) => origin.draft(|draft| draft.role(role)),
            None => origin,
        }
    }
}

/// A name for the server. Arguments may hold secrets, so they are no part of it.
fn name_of(command: &[OsString]) -> Upstream {
    let file_name = |path: &OsString| {
        let name = Path::new(path).file_name().unwrap_or(path);
        name.to_string_lossy().into_owned()
    };
    let program = command.first().map(file_name).unwrap_or_default();
    let is_runner = RUNNERS.contains(&program.as_str());
    let package = command
        .iter()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .find(|word| !word.starts_with('-'))
        .filter(|_| is_runner);
    Upstream::lossy(package.unwrap_or(program))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_its_package_or_program() {
        for (command, name) in [
            (
                &["uvx", "mcp-server-time", "--token=x"][..],
                "mcp-server-time",
            ),
            (&["npx", "-y", "@scope/server", "key"], "@scope/server"),
            (&["/usr/bin/python3", "-m", "server"], "python3"),
            (&["./server", "secret"], "server"),
        ] {
            let command: Vec<OsString> = command.iter().map(OsString::from).collect();
            assert_eq!(name_of(&command).as_str(), name);
        }
    }
}
