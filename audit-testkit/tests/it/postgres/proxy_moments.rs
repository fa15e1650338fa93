//! Harm at an exact moment of a conversation with Postgres.

use std::num::NonZeroUsize;

use audit_testkit::postgres::{Fault, Moment, TcpProxy, TestDatabase};
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor};
use url::Url;

use super::support::{connect, number, refusal, run, soon};

const COUNT: &str = "SELECT count(*) FROM kept";
const INSERT: &str = "INSERT INTO kept VALUES (1)";

struct Scene {
    database: TestDatabase,
    proxy: TcpProxy,
    /// Through the proxy.
    client: PgConnection,
    /// Around it.
    observer: PgConnection,
}

impl Scene {
    async fn open() -> Self {
        let database = TestDatabase::create().await.unwrap();
        let url: Url = database.url().parse().unwrap();
        let target = (url.host_str().unwrap().to_owned(), url.port().unwrap());
        let proxy = TcpProxy::postgres(target).await.unwrap();
        let mut observer = connect(database.url()).await;
        run(&mut observer, "CREATE TABLE kept (id int)").await;
        let client = connect(&proxy.url(database.url()).unwrap()).await;
        Self {
            database,
            proxy,
            client,
            observer,
        }
    }

    async fn insert(&mut self) -> Result<(), sqlx::Error> {
        sqlx::query(INSERT)
            .execute(&mut self.client)
            .await
            .map(drop)
    }

    /// In a transaction of its own.
    async fn insert_and_commit(&mut self) -> Result<(), sqlx::Error> {
        let mut transaction = self.client.begin().await?;
        sqlx::query(INSERT).execute(&mut *transaction).await?;
        transaction.commit().await
    }

    async fn n_kept(&mut self) -> i64 {
        number(&mut self.observer, COUNT).await
    }

    /// When all that the client has begun is over, on the server as well.
    async fn settled(&mut self) {
        let others = "SELECT count(*) FROM pg_stat_activity \
                      WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let observer = &mut self.observer;
        let gone = async { while number(observer, others).await > 0 {} };
        soon("the end of the client's session", gone).await;
    }
}

#[tokio::test]
async fn nothing_armed_everything_works() {
    let mut scene = Scene::open().await;

    scene.insert().await.unwrap();
    scene.insert_and_commit().await.unwrap();

    assert_eq!(scene.n_kept().await, 2);
}

#[tokio::test]
async fn a_cut_before_the_commit_undoes_the_transaction() {
    let mut scene = Scene::open().await;
    let trip = scene.proxy.arm(Moment::sent("commit"), Fault::Cut);

    soon("an error", scene.insert_and_commit())
        .await
        .unwrap_err();

    assert!(trip.has_fired());
    scene.settled().await;
    assert_eq!(scene.n_kept().await, 0);
}

#[tokio::test]
async fn a_cut_behind_the_commit_keeps_the_transaction() {
    for fault in [Fault::Cut, Fault::Reset] {
        let mut scene = Scene::open().await;
        let trip = scene.proxy.arm(Moment::answered("COMMIT"), fault);

        soon("an error", scene.insert_and_commit())
            .await
            .unwrap_err();

        assert!(trip.has_fired());
        assert_eq!(scene.n_kept().await, 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_cut_before_the_sync_undoes_a_lone_statement() {
    let mut scene = Scene::open().await;
    let trip = scene.proxy.arm(Moment::sent("INSERT"), Fault::Cut);

    soon("an error", scene.insert()).await.unwrap_err();

    assert!(trip.has_fired());
    scene.settled().await;
    assert_eq!(scene.n_kept().await, 0);
}

#[tokio::test]
async fn a_cut_behind_a_lone_statement_keeps_it() {
    let mut scene = Scene::open().await;
    let trip = scene.proxy.arm(Moment::answered("INSERT"), Fault::Cut);

    soon("an error", scene.insert()).await.unwrap_err();

    assert!(trip.has_fired());
    assert_eq!(scene.n_kept().await, 1);
}

#[tokio::test]
async fn the_third_of_several_prepared_statements_is_counted_right() {
    let mut scene = Scene::open().await;
    let third = NonZeroUsize::new(3).unwrap();
    let trip = scene
        .proxy
        .arm(Moment::sent("INSERT").nth(third), Fault::Reset);

    scene.insert().await.unwrap();
    // The same prepared statement again, whose text is not sent a second time.
    scene.insert().await.unwrap();
    assert!(!trip.has_fired());
    soon("an error", scene.insert()).await.unwrap_err();

    assert!(trip.has_fired());
    scene.settled().await;
    assert_eq!(scene.n_kept().await, 2);
}

#[tokio::test]
async fn a_stall_holds_the_answer_until_it_is_resumed() {
    let mut scene = Scene::open().await;
    let trip = scene.proxy.arm(Moment::answered("INSERT"), Fault::Stall);
    let observer = &mut scene.observer;

    let insert = sqlx::query(INSERT).execute(&mut scene.client);
    let meanwhile = async {
        trip.fired().await;
        // The server is done, and the client does not know.
        let n_kept = number(observer, COUNT).await;
        scene.proxy.resume();
        n_kept
    };
    let (inserted, n_kept) = soon("an answer", async { tokio::join!(insert, meanwhile) }).await;

    inserted.unwrap();
    assert_eq!(n_kept, 1);
    scene.client.execute(INSERT).await.unwrap();
    assert_eq!(scene.n_kept().await, 2);
}

#[tokio::test]
async fn a_moment_may_be_any_message() {
    let mut scene = Scene::open().await;
    let end_of_copy = Moment::from_client(|message| message.kind() == b'c');
    let trip = scene.proxy.arm(end_of_copy, Fault::Cut);

    let mut copy = scene
        .client
        .copy_in_raw("COPY kept FROM STDIN")
        .await
        .unwrap();
    copy.send(b"1\n2\n".as_slice()).await.unwrap();
    soon("an error", copy.finish()).await.unwrap_err();

    assert!(trip.has_fired());
    scene.settled().await;
    assert_eq!(scene.n_kept().await, 0);
}

#[tokio::test]
async fn whoever_insists_on_tls_is_told_that_there_is_none() {
    let scene = Scene::open().await;
    let url = scene.proxy.url(scene.database.url()).unwrap();

    let error = refusal(&format!("{url}?sslmode=require")).await;

    assert!(matches!(error, sqlx::Error::Tls(_)), "{error:?}");
}
