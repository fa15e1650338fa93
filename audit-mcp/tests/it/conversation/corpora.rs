//! Inputs that others have collected. The folder comes from `AUDIT_CORPORA`; without it, the few that
//! stand here are used.

use std::path::{Path, PathBuf};

use audit_mcp::conversation::Side;
use serde_json::json;

use super::stand::{Stand, result};

const DOCUMENTS: &[&[u8]] = &[
    b"[]",
    b"{\"a\":1,\"a\":2}",
    b"[\"\\u0000\"]",
    b"[\"\\uDADA\"]",
    b"[\"\xff\"]",
    b"[1e400000]",
    b"[-0]",
    b"\xef\xbb\xbf[]",
    b"\xff\xfe[\x00]\x00",
    b"[1,]",
    b"[1",
    b"{\"a\"",
    b"[NaN]",
    b"[1]x",
    b"",
    b"[\"\\u12",
    b"[\"\t\"]",
    b"\"\\\"",
    b"[[[[[[[[[[1]]]]]]]]]]",
    b"*",
];

fn documents() -> Vec<Vec<u8>> {
    // A relative folder is meant from the root of the workspace, where the tests are started.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let Some(folder) = std::env::var_os("AUDIT_CORPORA") else {
        return DOCUMENTS.iter().map(|it| it.to_vec()).collect();
    };
    let folder: PathBuf = root.join(folder).join("json-test-suite/test_parsing");
    let files = std::fs::read_dir(&folder).expect("the corpora are there");
    let documents: Vec<_> = files
        .map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect();
    assert!(
        documents.len() > 100,
        "{} is nearly empty",
        folder.display()
    );
    documents
}

#[tokio::test]
async fn whatever_stands_in_a_call_it_has_one_record() {
    let origin = audit_mcp::conversation::Origin::new();
    for document in documents() {
        let stand = Stand::new();
        let mut frame =
            br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":"#
                .to_vec();
        frame.extend_from_slice(&document);
        frame.extend_from_slice(b"}}");
        let passage = stand.conversation.pass(Side::Client, &frame, &origin).await;
        assert_eq!(passage, audit_mcp::conversation::Passage::Forward);
        stand.server(result(1, &json!({}))).await;
        stand.conversation.gone(Side::Client);
        let n_records = stand.events().await.len();
        assert_eq!(n_records, 1, "{}", String::from_utf8_lossy(&document));
    }
}

#[tokio::test]
async fn whatever_comes_alone_has_one_record_at_most() {
    let origin = audit_mcp::conversation::Origin::new();
    for document in documents() {
        let stand = Stand::new();
        for side in [Side::Client, Side::Server] {
            let passage = stand.conversation.pass(side, &document, &origin).await;
            assert_eq!(passage, audit_mcp::conversation::Passage::Forward);
        }
        let n_records = stand.events().await.len();
        assert!(n_records <= 1, "{}", String::from_utf8_lossy(&document));
    }
}
