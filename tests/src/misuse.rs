//! Wrong use that must not compile. Each has a twin that does, so that it fails for its reason.
//!
//! # A payload is made by redaction alone
//! ```
//! use audit_core::payload::{Payload, PayloadContext, PayloadPolicy};
//!
//! let policy = PayloadPolicy::default();
//! let payload = Payload::from_json("{}", &PayloadContext::request(&policy));
//! let report = payload.report().clone();
//! ```
//! ```compile_fail,E0451
//! use audit_core::payload::{Payload, PayloadContext, PayloadPolicy};
//!
//! let policy = PayloadPolicy::default();
//! let payload = Payload::from_json("{}", &PayloadContext::request(&policy));
//! let report = payload.report().clone();
//! let forged = Payload { json: Some("{}".into()), report };
//! ```
//!
//! # An event takes no text in the place of a payload
//! ```compile_fail,E0308
//! use audit_core::event::{EventDraft, Method};
//!
//! let draft = EventDraft::new(Method::tools_call()).request("{\"raw\":1}");
//! ```
//!
//! # What an event says cannot be changed
//! ```
//! use audit_core::event::Outcome;
//!
//! let event = audit_testkit::fixture::event(1);
//! assert_eq!(event.outcome, Outcome::Ok);
//! ```
//! ```compile_fail,E0594
//! use audit_core::event::Outcome;
//!
//! let mut event = audit_testkit::fixture::event(1);
//! event.outcome = Outcome::Denied;
//! ```
//!
//! # Metadata comes from an event
//! ```compile_fail,E0639
//! use audit_core::event::EventMetadata;
//!
//! let event = audit_testkit::fixture::event(1);
//! let metadata = EventMetadata { seq: event.seq, ..event.summary().metadata };
//! ```
//!
//! # A credential cannot be printed
//! ```compile_fail,E0277
//! let credential = audit_core::payload::CallerCredential::new("presented");
//! println!("{credential}");
//! ```
//!
//! # Receipts cannot be overlooked
//! ```compile_fail
//! #![deny(unused_must_use)]
//! use audit_core::sink::AuditSink;
//!
//! async fn store(sink: &impl AuditSink) -> Result<(), audit_core::Error> {
//!     sink.append(&[]).await?;
//!     Ok(())
//! }
//! ```
