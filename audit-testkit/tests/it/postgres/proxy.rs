//! A network that is cut, reset, stalled and refused, with an echo at its end.

use std::io::ErrorKind;
use std::net::SocketAddr;

use audit_testkit::postgres::{Direction, TcpProxy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::support::soon;

/// Says again what it is told.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                drop(tokio::io::copy(&mut from, &mut to).await);
            });
        }
    });
    address
}

async fn proxy_and_client() -> (TcpProxy, TcpStream) {
    let proxy = TcpProxy::start(echo().await).await.unwrap();
    let client = TcpStream::connect(proxy.address()).await.unwrap();
    (proxy, client)
}

async fn say(client: &mut TcpStream, text: &str) {
    client.write_all(text.as_bytes()).await.unwrap();
}

async fn hear(client: &mut TcpStream, text: &str) {
    let mut heard = vec![0; text.len()];
    soon("an echo", client.read_exact(&mut heard))
        .await
        .unwrap();
    assert_eq!(String::from_utf8(heard).unwrap(), text);
}

#[tokio::test]
async fn bytes_go_both_ways_and_so_does_the_end() {
    let (proxy, mut client) = proxy_and_client().await;

    say(&mut client, "hello").await;
    hear(&mut client, "hello").await;
    soon("a connection", proxy.until_open(1)).await;
    client.shutdown().await.unwrap();

    assert_eq!(soon("the end", client.read(&mut [0])).await.unwrap(), 0);
    soon("no connection", proxy.until_open(0)).await;
}

#[tokio::test]
async fn a_cut_connection_ends_in_good_order_and_the_next_one_works() {
    let (proxy, mut client) = proxy_and_client().await;
    say(&mut client, "hello").await;
    hear(&mut client, "hello").await;

    proxy.cut();

    assert_eq!(soon("the end", client.read(&mut [0])).await.unwrap(), 0);
    let mut next = TcpStream::connect(proxy.address()).await.unwrap();
    say(&mut next, "again").await;
    hear(&mut next, "again").await;
}

#[tokio::test]
async fn a_reset_connection_ends_with_an_error() {
    let (proxy, mut client) = proxy_and_client().await;
    say(&mut client, "hello").await;
    hear(&mut client, "hello").await;

    proxy.reset();

    let error = soon("the end", client.read(&mut [0])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_stalled_connection_is_silent_and_loses_nothing() {
    for direction in [Direction::ToClient, Direction::ToServer] {
        let (proxy, mut client) = proxy_and_client().await;
        proxy.stall_one(direction);

        say(&mut client, "held").await;
        soon("a connection", proxy.until_open(1)).await;
        let mut byte = [0];
        let silence =
            tokio::time::timeout(std::time::Duration::from_millis(50), client.read(&mut byte));
        silence.await.expect_err("nothing comes through");

        proxy.resume();
        hear(&mut client, "held").await;
    }
}

#[tokio::test]
async fn a_stalled_connection_can_be_cut() {
    let (proxy, mut client) = proxy_and_client().await;
    proxy.stall();
    say(&mut client, "held").await;
    soon("a connection", proxy.until_open(1)).await;

    proxy.cut();

    // What was held is lost; whether unread bytes make the end a reset is the system's choice.
    let end = soon("the end", client.read(&mut [0])).await;
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
}

#[tokio::test]
async fn a_refusing_proxy_keeps_what_is_open() {
    let (proxy, mut client) = proxy_and_client().await;
    say(&mut client, "hello").await;
    hear(&mut client, "hello").await;

    proxy.refuse().await;
    let error = TcpStream::connect(proxy.address()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    say(&mut client, "still").await;
    hear(&mut client, "still").await;

    proxy.admit().await.unwrap();
    let mut next = TcpStream::connect(proxy.address()).await.unwrap();
    say(&mut next, "again").await;
    hear(&mut next, "again").await;
}
