//! `Arc<R>` and `Box<R>` of a reader are readers.

use std::sync::Arc;

use async_trait::async_trait;

use super::{
    AuditReader, Count, Filter, FollowRequest, Followed, Page, PageRequest, SeqGap, Statistics,
    StatisticsRequest,
};
use crate::error::Error;
use crate::event::{AuditEvent, EventId, EventSummary, WriterId};

/// Forwards every method to what a pointer points to; the lint keeps it whole.
macro_rules! forward_reader {
    ($($pointer:ident),+) => {
        $(
            #[async_trait]
            #[deny(clippy::missing_trait_methods)]
            impl<R: AuditReader + ?Sized> AuditReader for $pointer<R> {
                async fn get(&self, id: EventId) -> Result<Option<AuditEvent>, Error> {
                    (**self).get(id).await
                }

                async fn page(&self, request: &PageRequest) -> Result<Page<EventSummary>, Error> {
                    (**self).page(request).await
                }

                async fn page_with_payloads(
                    &self,
                    request: &PageRequest,
                ) -> Result<Page<AuditEvent>, Error> {
                    (**self).page_with_payloads(request).await
                }

                async fn count(&self, filter: &Filter, cap: u64) -> Result<Count, Error> {
                    (**self).count(filter, cap).await
                }

                async fn statistics(
                    &self,
                    request: &StatisticsRequest,
                ) -> Result<Statistics, Error> {
                    (**self).statistics(request).await
                }

                async fn gaps(
                    &self,
                    writer: &WriterId,
                    limit: usize,
                ) -> Result<Vec<SeqGap>, Error> {
                    (**self).gaps(writer, limit).await
                }

                async fn follow(&self, request: &FollowRequest) -> Result<Followed, Error> {
                    (**self).follow(request).await
                }
            }
        )+
    };
}

forward_reader!(Arc, Box);
