use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use audit_core::reader::{Filter, GroupBy, Statistics, StatisticsRequest};
use tokio::sync::OnceCell;

use crate::api::ask;
use crate::problem::Problem;
use crate::state::Web;

/// Counts, asked of the store once for all who want the same ones within half a minute: a page that
/// twenty people keep open costs the store what it costs for one.
#[derive(Debug, Default)]
pub(super) struct Counts {
    recent: Mutex<HashMap<Question, Recent>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Question {
    filter: Filter,
    group_by: GroupBy,
    limit: usize,
}

#[derive(Clone, Debug)]
struct Recent {
    asked_at: Duration,
    /// Empty while the first who asks waits for the store; the others wait for him.
    answer: Arc<OnceCell<Arc<Statistics>>>,
}

/// How long an answer is good for. A question has its moment in it, so whoever asks later asks another
/// one; whoever turns the pages of a list asks the same.
const FRESH: Duration = Duration::from_secs(30);
/// The most answers that are kept.
const MOST_KEPT: usize = 256;

impl Counts {
    /// The events of a filter, by group: at most `limit` of them.
    ///
    /// # Errors
    /// The store does not answer.
    ///
    /// # Cancel safety
    /// If who asks the store leaves, the next who waits asks it.
    pub(super) async fn of(
        &self,
        web: &Web,
        filter: &Filter,
        group_by: GroupBy,
        limit: usize,
    ) -> Result<Arc<Statistics>, Problem> {
        let question = Question {
            filter: filter.clone(),
            group_by,
            limit,
        };
        let of_store = async {
            let request = StatisticsRequest::new(filter.clone()).group_by(group_by);
            ask(async {
                let request = request.limit(limit)?;
                web.reader.statistics(&request).await.map(Arc::new)
            })
            .await
        };
        self.shared(question, web.clock.monotonic(), of_store).await
    }

    /// The answer that is there or under way, or else that of the store.
    async fn shared(
        &self,
        question: Question,
        now: Duration,
        of_store: impl Future<Output = Result<Arc<Statistics>, Problem>>,
    ) -> Result<Arc<Statistics>, Problem> {
        let answer = self.answer_to(question, now);
        answer.get_or_try_init(|| of_store).await.cloned()
    }

    fn answer_to(&self, question: Question, now: Duration) -> Arc<OnceCell<Arc<Statistics>>> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.retain(|_, it| now.saturating_sub(it.asked_at) < FRESH);
        if recent.len() >= MOST_KEPT {
            // Whoever waits keeps his answer; it is only not shared any more.
            recent.clear();
        }
        let found = recent.entry(question).or_insert_with(|| Recent {
            asked_at: now,
            answer: Arc::default(),
        });
        Arc::clone(&found.answer)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::future::join_all;

    use super::*;

    fn question(limit: usize) -> Question {
        Question {
            filter: Filter::all(),
            group_by: GroupBy::Nothing,
            limit,
        }
    }

    fn nothing() -> Arc<Statistics> {
        Arc::new(Statistics::collect(
            &StatisticsRequest::new(Filter::all()),
            [],
        ))
    }

    #[tokio::test]
    async fn many_who_ask_the_same_ask_the_store_once() {
        let (counts, n_asked) = (Counts::default(), Cell::new(0));
        let ask = |limit, seconds| {
            counts.shared(question(limit), Duration::from_secs(seconds), async {
                n_asked.set(n_asked.get() + 1);
                tokio::task::yield_now().await;
                Ok(nothing())
            })
        };
        let answers = join_all((0..20).map(|_| ask(1, 100))).await;
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(n_asked.get(), 1);
        drop(ask(1, 129).await.unwrap());
        assert_eq!(n_asked.get(), 1, "the answer is fresh");
        drop(ask(2, 129).await.unwrap());
        assert_eq!(n_asked.get(), 2, "the question is another one");
        drop(ask(1, 130).await.unwrap());
        assert_eq!(n_asked.get(), 3, "the answer is old");
    }

    #[tokio::test]
    async fn a_failure_and_who_leaves_are_not_remembered() {
        let counts = Counts::default();
        let failing = counts.shared(question(1), Duration::ZERO, async {
            Err(Problem::not_found("the store"))
        });
        drop(failing.await.unwrap_err());
        let leaving = counts.shared(question(1), Duration::ZERO, std::future::pending());
        assert!(futures_util::future::FutureExt::now_or_never(leaving).is_none());
        let answer = counts.shared(question(1), Duration::ZERO, async { Ok(nothing()) });
        drop(answer.await.unwrap());
    }

    #[test]
    fn no_more_answers_are_kept_than_there_is_room_for() {
        let counts = Counts::default();
        for limit in 0..10 * MOST_KEPT {
            drop(counts.answer_to(question(limit), Duration::ZERO));
        }
        assert!(counts.recent.lock().unwrap().len() <= MOST_KEPT);
    }
}
