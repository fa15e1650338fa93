use std::io;

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::tcp::{ReadHalf, WriteHalf};

use super::Direction;
use super::connection::{Connection, End};
use super::message::{Message, Opening};
use super::moment::Happening;
use super::statements::Statements;

/// Brings the opening of the conversation to the server, and sees to it that it is not encrypted.
pub(super) async fn open(
    client: &mut BufReader<ReadHalf<'_>>,
    to_client: &mut WriteHalf<'_>,
    to_server: &mut WriteHalf<'_>,
) -> io::Result<()> {
    loop {
        let opening = Opening::read(client).await?;
        if !opening.asks_for_encryption() {
            return to_server.write_all(&opening.bytes).await;
        }
        to_client.write_all(b"N").await?;
    }
}

pub(super) async fn pass_to_server(
    connection: &Connection<'_>,
    client: &mut BufReader<ReadHalf<'_>>,
    to_server: &mut WriteHalf<'_>,
) -> Result<(), End> {
    let mut statements = Statements::default();
    while let Some(message) = Message::read(client).await? {
        let sent = statements.ended_by(&message);
        let happening = Happening::FromClient {
            message: &message,
            sent: &sent,
        };
        connection.suffer(&happening).await?;
        connection.pass(Direction::ToServer).await;
        to_server.write_all(message.bytes()).await?;
    }
    connection.pass(Direction::ToServer).await;
    Ok(to_server.shutdown().await?)
}

pub(super) async fn pass_to_client(
    connection: &Connection<'_>,
    server: &mut BufReader<ReadHalf<'_>>,
    to_client: &mut WriteHalf<'_>,
) -> Result<(), End> {
    let mut held = Vec::new();
    let mut completed = Vec::new();
    while let Some(message) = Message::read(server).await? {
        let is_ready = message.kind() == b'Z';
        if message.kind() == b'C' {
            completed.extend(message.texts().next().map(str::to_owned));
        }
        let answered = if is_ready {
            std::mem::take(&mut completed)
        } else {
            Vec::new()
        };
        let happening = Happening::FromServer {
            message: &message,
            answered: &answered,
        };
        connection.suffer(&happening).await?;
        held.extend_from_slice(message.bytes());
        // A client that flushes instead of syncing waits for an answer that is not whole: only
        // who arms such a moment asks for that.
        let is_partial = !completed.is_empty() && connection.wants_whole_answers();
        if is_partial {
            continue;
        }
        connection.pass(Direction::ToClient).await;
        to_client.write_all(&held).await?;
        held.clear();
    }
    connection.pass(Direction::ToClient).await;
    to_client.write_all(&held).await?;
    Ok(to_client.shutdown().await?)
}
