//! What is printed of an event by accident shows no payload.

use audit_core::payload::CallerCredential;
use audit_core::sink::Appended;
use audit_core::{Error, ErrorKind};
use audit_testkit::fixture;

/// A value that a payload keeps and that no text may show.
const VISIBLE: &str = "orchid-4711";

#[test]
fn debug_shows_fields_and_no_payload() {
    let json = format!("{{\"note\":\"{VISIBLE}\",\"{VISIBLE}\":1}}");
    let payload = || fixture::payload(&json);
    assert!(payload().json().unwrap().contains(VISIBLE));
    let draft = fixture::full_draft(1)
        .request(payload())
        .response(payload())
        .credential(CallerCredential::new("presented-by-a-caller"));
    let texts = |text: &dyn std::fmt::Debug| format!("{text:?} {text:#?}");
    let of_draft = texts(&draft);
    let event = fixture::stamp(draft, 1);
    let shown = [
        of_draft,
        texts(&event),
        texts(&event.summary()),
        texts(&vec![event.clone()]),
        texts(&payload()),
        texts(&Appended::all_stored(1)),
    ];
    for text in &shown {
        assert!(!text.contains(VISIBLE), "{text}");
        assert!(!text.contains("presented-by"), "{text}");
    }
    assert!(shown[1].contains("delete_customer"), "{}", shown[1]);
}

#[test]
fn an_error_shows_its_own_level_and_keeps_its_source() {
    let error = Error::with_source(
        ErrorKind::Rejected,
        "the store refuses the batch",
        "the source",
    );
    assert_eq!(error.to_string(), "the store refuses the batch");
    let source = std::error::Error::source(&error).map(ToString::to_string);
    assert_eq!(source.as_deref(), Some("the source"));
}
