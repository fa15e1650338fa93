//! `Arc<S>` and `Box<S>` of a sink are sinks.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Appended, AuditSink, Durability, Forwarding, Health};
use crate::error::Error;
use crate::event::AuditEvent;

/// Forwards every method to what a pointer points to.
///
/// The lint keeps this whole: should the contract ever get a method with a default, a pointer
/// that falls back to the default would be another sink than what it points to.
macro_rules! forward_sink {
    ($($pointer:ident),+) => {
        $(
            #[async_trait]
            #[deny(clippy::missing_trait_methods)]
            impl<S: AuditSink + ?Sized> AuditSink for $pointer<S> {
                async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
                    (**self).append(events).await
                }

                async fn flush(&self) -> Result<(), Error> {
                    (**self).flush().await
                }

                async fn health(&self) -> Health {
                    (**self).health().await
                }

                async fn close(&self) -> Result<(), Error> {
                    (**self).close().await
                }

                fn durability(&self) -> Durability {
                    (**self).durability()
                }

                fn forwarding(&self) -> Option<Forwarding> {
                    (**self).forwarding()
                }
            }
        )+
    };
}

forward_sink!(Arc, Box);
