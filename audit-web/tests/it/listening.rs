//! Where the server listens, and by which tokens of a file it lets in.

use std::io::ErrorKind;
use std::sync::Arc;

use audit_core::{AuditLogger, Clock as _, SystemClock};
use audit_memory::MemoryStore;
use audit_web::access::{Scope, TokenFile, TokenName, Tokens};
use audit_web::{BoundServer, Exposure, TlsIdentity, WebConfig, WebServer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

async fn bind(tokens: Tokens, config: WebConfig) -> std::io::Result<BoundServer> {
    let store = MemoryStore::new();
    let logger = AuditLogger::builder(store.clone()).build().unwrap();
    WebServer::builder(Arc::new(store), logger, Arc::new(tokens), config)
        .build()
        .bind()
        .await
}

#[tokio::test]
async fn nothing_is_served_beyond_this_machine_unprotected() {
    let any = "0.0.0.0:0".parse().unwrap();
    let refused = bind(Tokens::in_memory(), WebConfig::at(any)).await;
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("0.0.0.0:0"), "{error}");
    let protected = WebConfig::at(any).exposure(Exposure::BehindProxy);
    assert!(
        bind(Tokens::in_memory(), protected)
            .await
            .unwrap()
            .address()
            .port()
            > 0
    );
}

#[tokio::test]
async fn tls_is_served_to_whoever_trusts_the_certificate() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let identity = TlsIdentity::from_pem(
        made.cert.pem().as_bytes(),
        made.signing_key.serialize_pem().as_bytes(),
    );
    let config = WebConfig::loopback(0).exposure(Exposure::Tls(identity.unwrap()));
    let bound = bind(Tokens::in_memory(), config).await.unwrap();
    let address = bound.address();
    let serving = tokio::spawn(bound.serve(std::future::pending()));

    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(client));
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = connector.connect(name, stream).await.unwrap();
    let request = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    serving.abort();
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let bound = bind(Tokens::in_memory(), WebConfig::loopback(0))
        .await
        .unwrap();
    let address = bound.address();
    let serving = tokio::spawn(bound.serve(std::future::pending()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = b"POST /login HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\ntoken";
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("content-security-policy"), "{answer}");
    serving.abort();
}

#[test]
fn a_certificate_without_its_key_is_refused() {
    let made = || rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (one, other) = (made(), made());
    let (chain, key) = (one.cert.pem(), other.signing_key.serialize_pem());
    for (chain, key) in [
        (chain.as_str(), key.as_str()),
        ("", &key),
        (&chain, ""),
        (&key, &chain),
    ] {
        let error = TlsIdentity::from_pem(chain.as_bytes(), key.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }
}

#[tokio::test]
async fn a_change_of_the_file_holds_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = TokenFile::at(folder.path().join("tokens.json"));
    let tokens = Tokens::of_file(file.clone());
    let now = SystemClock::new().now();
    assert!(!tokens.has_valid(now).unwrap());
    let name = TokenName::new("ops").unwrap();
    let secret = file
        .create(name.clone(), Scope::Viewer.into(), now, None)
        .unwrap();
    assert!(tokens.has_valid(now).unwrap());
    let text = std::fs::read_to_string(file.path()).unwrap();
    assert!(
        !text.contains(secret.reveal()) && text.contains("\"ops\""),
        "{text}"
    );
    let again = file.create(name.clone(), Scope::Admin.into(), now, None);
    assert_eq!(again.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(file.revoke(&name, now).unwrap(), now);
    assert!(!tokens.has_valid(now).unwrap());
    let other = TokenName::new("other").unwrap();
    assert_eq!(
        file.revoke(&other, now).unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_use_lets_nobody_in() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = TokenFile::at(folder.path().join("tokens.json"));
    let now = SystemClock::new().now();
    let name = TokenName::new("ops").unwrap();
    file.create(name, Scope::Viewer.into(), now, None).unwrap();
    let mode = std::fs::metadata(file.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = Tokens::of_file(file).has_valid(now).unwrap_err();
    assert!(error.to_string().contains("chmod 600"), "{error}");
}

#[tokio::test]
async fn an_address_that_opens_connections_without_end_is_cut_off() {
    let bound = bind(Tokens::in_memory(), WebConfig::loopback(0))
        .await
        .unwrap();
    let address = bound.address();
    let serving = tokio::spawn(bound.serve(std::future::pending()));
    let mut open = Vec::new();
    for _ in 0..256 {
        open.push(TcpStream::connect(address).await.unwrap());
    }
    let mut more = TcpStream::connect(address).await.unwrap();
    let mut nothing = Vec::new();
    more.read_to_end(&mut nothing).await.unwrap();
    assert!(nothing.is_empty(), "it is closed without an answer");
    // Another address of this machine is let in.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = socket.connect(address).await.unwrap();
    let request = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    other.write_all(request).await.unwrap();
    let mut answer = String::new();
    other.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    serving.abort();
}
