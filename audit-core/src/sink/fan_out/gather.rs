use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// Something that is asked of one sink.
pub(super) type Call<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Waits for several calls at once, until it can be told what comes of them. Calls that are not
/// over by then are dropped.
pub(super) async fn until<T: Unpin, R>(
    calls: Vec<Call<'_, T>>,
    mut decide: impl FnMut(&[Option<T>]) -> Option<R>,
) -> R {
    let mut answers: Vec<Option<T>> = calls.iter().map(|_| None).collect();
    let mut calls: Vec<_> = calls.into_iter().map(Some).collect();
    poll_fn(|context| {
        for (call, answer) in calls.iter_mut().zip(&mut answers) {
            if let Some(open) = call
                && let Poll::Ready(came) = open.as_mut().poll(context)
            {
                *answer = Some(came);
                *call = None;
            }
        }
        decide(&answers).map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

/// Waits for all of them.
pub(super) async fn all<T: Unpin + Clone>(calls: Vec<Call<'_, T>>) -> Vec<T> {
    until(calls, |answers| answers.iter().cloned().collect()).await
}
