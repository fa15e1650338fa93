//! Cursors are bound to their list, whichever store reads them.

use audit_core::ErrorKind;
use audit_core::event::Outcome;
use audit_core::reader::{Condition, Cursor, Filter, Order, Page, PageRequest};
use audit_testkit::fixture;

fn cursor_of(request: &PageRequest) -> Cursor {
    Page::assemble(request, fixture::events(1..=3))
        .next
        .unwrap()
}

#[test]
fn a_cursor_of_another_list_is_refused() {
    let request = PageRequest::new(Filter::all()).limit(2).unwrap();
    let cursor = cursor_of(&request);
    assert!(
        request
            .cursor(cursor)
            .is_ok_and(|at| at.scan().bound.is_some())
    );
    let other_filter = PageRequest::new(Filter::all().with(Condition::Outcome(Outcome::Ok)));
    let other_order = PageRequest::new(Filter::all()).order(Order::OldestFirst);
    for other in [other_filter, other_order] {
        let error = other.cursor(cursor).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(
            error.to_string().contains("begin with the first page"),
            "{error}"
        );
    }
}

#[test]
fn a_cursor_fits_a_page_of_another_size() {
    let cursor = cursor_of(&PageRequest::new(Filter::all()).limit(2).unwrap());
    let larger = PageRequest::new(Filter::all()).limit(500).unwrap();
    assert_eq!(larger.cursor(cursor).unwrap().scan().limit, 501);
}
