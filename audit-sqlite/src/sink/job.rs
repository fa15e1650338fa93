use std::pin::Pin;

use async_trait::async_trait;
use audit_core::event::Timestamp;
use audit_core::{Error, ErrorKind};
use sqlx::SqliteConnection;
use tokio::sync::oneshot;

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Something else than an append that the writer does, in a transaction of its own.
#[async_trait]
pub(super) trait Job: Send {
    /// Does it, within the transaction.
    async fn run(&mut self, connection: &mut SqliteConnection, now: Timestamp)
    -> Result<(), Error>;

    /// Answers whoever waits, behind the commit.
    fn answer(self: Box<Self>, done: Result<(), Error>);
}

/// A job with the value that it gives.
pub(super) struct Task<T, F> {
    pub(super) work: Option<F>,
    pub(super) value: Option<T>,
    pub(super) answer: oneshot::Sender<Result<T, Error>>,
}

#[async_trait]
impl<T, F> Job for Task<T, F>
where
    T: Send,
    F: for<'c> FnOnce(&'c mut SqliteConnection, Timestamp) -> BoxFuture<'c, Result<T, Error>>
        + Send,
{
    async fn run(
        &mut self,
        connection: &mut SqliteConnection,
        now: Timestamp,
    ) -> Result<(), Error> {
        if let Some(work) = self.work.take() {
            self.value = Some(work(connection, now).await?);
        }
        Ok(())
    }

    fn answer(self: Box<Self>, done: Result<(), Error>) {
        let missing = || Error::new(ErrorKind::Internal, "a job of the writer gave nothing");
        let Self { value, answer, .. } = *self;
        // Whoever asked may have left.
        drop(answer.send(done.and_then(|()| value.ok_or_else(missing))));
    }
}
