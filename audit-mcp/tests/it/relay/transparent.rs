use std::sync::OnceLock;

use audit_mcp::relay::Relay;
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::runtime::Runtime;

use super::wire::{Wire, soon};
use crate::conversation::stand::Stand;

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    })
}

/// Writes in pieces of these sizes, over and over.
async fn write(writer: &mut WriteHalf<DuplexStream>, mut bytes: &[u8], sizes: &[usize]) {
    for size in sizes.iter().cycle() {
        let (piece, rest) = bytes.split_at(std::cmp::min(*size, bytes.len()));
        soon(writer.write_all(piece)).await.unwrap();
        tokio::task::yield_now().await;
        bytes = rest;
        if bytes.is_empty() {
            break;
        }
    }
    writer.shutdown().await.unwrap();
}

async fn read(reader: &mut ReadHalf<DuplexStream>) -> Vec<u8> {
    let mut bytes = Vec::new();
    soon(reader.read_to_end(&mut bytes)).await.unwrap();
    bytes
}

/// What arrives of what both sides say.
async fn through(
    client: &[u8],
    server: &[u8],
    sizes: &[usize],
    (window, pipe): (usize, usize),
) -> (Vec<u8>, Vec<u8>) {
    let wire = Wire::new(Stand::new(), window, pipe);
    let (mut from_client, mut to_client) = wire.client.split();
    let (mut from_server, mut to_server) = wire.server.split();
    let up = write(&mut to_client, client, sizes);
    // The server ends when its input has.
    let down = async {
        let (rest, last) = server.split_at(server.len() / 2);
        for piece in rest.chunks(sizes[0]) {
            soon(to_server.write_all(piece)).await.unwrap();
        }
        let arrived = read(&mut from_server).await;
        write(&mut to_server, last, sizes).await;
        arrived
    };
    let ((), at_server, at_client) = tokio::join!(up, down, read(&mut from_client));
    (at_server, at_client)
}

/// Lines of JSON-RPC, whole and broken, and whatever else comes by.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let id = prop_oneof![
        "[0-9]{1,2}",
        r#""[a-c]""#,
        "null",
        "1\\.5",
        r#""\\\\u00e9\\\\"""#
    ];
    let message = (
        id,
        prop_oneof![
            Just(r#""method":"tools/call","params":{"name":"a","arguments":{"b":[1,{"c":"}"}]}}"#),
            Just(r#""result":{"content":[{"type":"text","text":"{\"id\":1}"}],"isError":true}"#),
            Just(r#""error":{"code":-32601,"message":"no"}"#),
            Just(r#""method":"notifications/cancelled","params":{"requestId":1}"#),
            Just(r#""method":5"#),
        ],
    )
        .prop_map(|(id, rest)| format!(r#"{{"jsonrpc":"2.0","id":{id},{rest}}}"#).into_bytes());
    let piece = prop_oneof![
        6 => message,
        1 => vec(any::<u8>(), 0..40),
        1 => "[ \\[\\]{},:\"\\\\a-z0-9\n\r]{0,40}".prop_map(String::into_bytes),
        4 => prop_oneof![Just(b"\n".to_vec()), Just(b"\r\n".to_vec()), Just(b",".to_vec())],
        1 => Just(b"[".to_vec()),
        1 => Just(b"]\n".to_vec()),
    ];
    vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn what_arrives_is_what_was_said(
        client in text(),
        server in text(),
        sizes in vec(1_usize..80, 1..5),
        window in prop_oneof![0_usize..100, Just(Relay::DEFAULT_WINDOW)],
        pipe in 1_usize..200,
    ) {
        let arrived = runtime().block_on(through(&client, &server, &sizes, (window, pipe)));
        prop_assert_eq!(String::from_utf8_lossy(&arrived.0), String::from_utf8_lossy(&client));
        prop_assert!(arrived == (client, server));
    }
}
