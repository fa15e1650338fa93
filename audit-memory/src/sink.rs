use async_trait::async_trait;
use audit_core::event::AuditEvent;
use audit_core::sink::{Appended, AuditSink, Durability, Forwarding, Health};
use audit_core::{Error, ErrorKind};

use crate::config::MemoryConfig;
use crate::store::{MemoryStore, State};

#[async_trait]
impl AuditSink for MemoryStore {
    /// Stores a batch under one lock; no await, hence nothing to cancel.
    async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
        let appended = self.write().append(&self.shared.config, events)?;
        self.shared.committed.notify_waiters();
        Ok(appended)
    }

    async fn flush(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn health(&self) -> Health {
        self.read().health(&self.shared.config)
    }

    async fn close(&self) -> Result<(), Error> {
        self.write().is_closed = true;
        Ok(())
    }

    fn durability(&self) -> Durability {
        Durability::Committed
    }

    fn forwarding(&self) -> Option<Forwarding> {
        None
    }
}

impl State {
    fn append(&mut self, bounds: &MemoryConfig, events: &[AuditEvent]) -> Result<Appended, Error> {
        if self.is_closed {
            return Err(Error::new(ErrorKind::Closed, "the memory store is closed"));
        }
        let begin = self.log.end();
        let mut receipts = Vec::with_capacity(events.len());
        for event in events {
            receipts.push(self.log.insert(bounds, event));
            while bounds.forgets() && !self.fits(bounds) {
                self.log.forget_oldest();
            }
        }
        if !self.fits(bounds) {
            self.log.roll_back(begin);
            let text = format!("a batch of {} does not fit the memory store", events.len());
            return Err(Error::new(ErrorKind::Full, text));
        }
        Ok(Appended::new(receipts))
    }

    fn health(&self, bounds: &MemoryConfig) -> Health {
        let (n_events, bytes) = (self.log.n_events(), self.log.bytes());
        if self.is_closed {
            return Health::unavailable("the memory store is closed");
        }
        if bounds.forgets() {
            return Health::ready();
        }
        if bounds.is_reached(n_events, bytes) {
            return Health::unavailable("the memory store is full");
        }
        if bounds.is_nearly_reached(n_events, bytes) {
            return Health::degraded("the memory store is nearly full");
        }
        Health::ready()
    }

    fn fits(&self, bounds: &MemoryConfig) -> bool {
        bounds.holds(self.log.n_events(), self.log.bytes())
    }
}
