use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// Drops a future at the so-manieth await that does not go on at once; its answer, if it comes
/// before.
pub(crate) async fn interrupt<T>(n_awaits: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = n_awaits;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}
