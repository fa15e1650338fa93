//! A server that offers TLS.

use audit_testkit::postgres::LocalCluster;

use super::support::{connect, refusal};

async fn is_encrypted(url: &str) -> bool {
    sqlx::query_scalar("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        .fetch_one(&mut connect(url).await)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_certificate_holds_against_its_own_authority_and_no_other() {
    let cluster = LocalCluster::builder().tls().start().await.unwrap();
    let other = LocalCluster::builder().tls().start().await.unwrap();

    assert!(is_encrypted(&cluster.tls_url().unwrap()).await);
    let stranger = other.root_certificate().unwrap().display();
    let url = format!(
        "{}?sslmode=verify-full&sslrootcert={stranger}",
        cluster.url()
    );
    let error = refusal(&url).await;
    assert!(
        matches!(error, sqlx::Error::Tls(_) | sqlx::Error::Io(_)),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_server_without_tls_refuses_who_insists() {
    let cluster = LocalCluster::builder().start().await.unwrap();

    assert_eq!(cluster.tls_url(), None);
    let error = refusal(&format!("{}?sslmode=require", cluster.url())).await;
    assert!(matches!(error, sqlx::Error::Tls(_)), "{error:?}");
}
