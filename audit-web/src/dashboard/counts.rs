use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use audit_core::reader::{Filter, GroupBy, Statistics, StatisticsRequest};
use tokio::sync::OnceCell;

use crate::api::ask;
use crate::problem::Problem;
use crate::state::Web;

/// Counts, asked of the store once for all who want the same ones within a few seconds: a page that
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

/// How long an answer is good for.
const FRESH: Duration = Duration::from_secs(5);
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
        let answer = self.answer_to(question, web.clock.monotonic());
        let asked = answer.get_or_try_init(async || {
            let request = StatisticsRequest::new(filter.clone()).group_by(group_by);
            ask(async {
                let request = request.limit(limit)?;
                web.reader.statistics(&request).await.map(Arc::new)
            })
            .await
        });
        asked.await.cloned()
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
