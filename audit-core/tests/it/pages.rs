//! Cursors are bound to their list, whichever store reads them.

use audit_core::ErrorKind;
use audit_core::event::{AuditEvent, EventId, Outcome};
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

#[test]
fn another_order_begins_with_the_first_page() {
    let request = PageRequest::new(Filter::all()).limit(2).unwrap();
    let at = request.clone().cursor(cursor_of(&request)).unwrap();
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let scan = at.clone().order(order).scan();
        assert_eq!(scan.bound, None, "{order:?}");
        assert_eq!(scan.is_ascending, order == Order::OldestFirst);
    }
}

#[test]
fn a_page_can_begin_behind_any_event() {
    let id = fixture::event_id(7);
    let scan = PageRequest::new(Filter::all())
        .order(Order::OldestFirst)
        .after(id)
        .scan();
    assert_eq!((scan.bound, scan.is_ascending), (Some(id), true));
    // What goes on from there is the same list.
    let request = PageRequest::new(Filter::all()).limit(2).unwrap();
    let cursor = cursor_of(&request.clone().after(id));
    assert!(
        request
            .cursor(cursor)
            .is_ok_and(|at| at.scan().bound.is_some())
    );
}

#[test]
fn an_intersected_filter_is_another_list() {
    let ok = || Filter::all().with(Condition::Outcome(Outcome::Ok));
    let denied = || Filter::all().with(Condition::Outcome(Outcome::Denied));
    let either = ok().with(Condition::Outcome(Outcome::Denied));
    let request = PageRequest::new(either).limit(2).unwrap();
    let cursor = cursor_of(&request);
    let both = PageRequest::new(ok().intersect(denied()));
    assert_eq!(both.cursor(cursor).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn a_cursor_with_any_other_character_is_refused_or_another_one() {
    let request = PageRequest::new(Filter::all()).limit(2).unwrap();
    let cursor = cursor_of(&request);
    let text = cursor.to_string();
    let others = ('\0'..='\u{ff}').filter(|char| !char.is_ascii_uppercase());
    for other in others {
        for (at, char) in text.char_indices().filter(|(_, char)| *char != other) {
            let mut changed = text.clone();
            changed.replace_range(at..at + char.len_utf8(), other.encode_utf8(&mut [0; 4]));
            match changed.parse::<Cursor>() {
                Ok(read) => assert_eq!(read.to_string(), changed, "it says what it means"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Invalid, "{changed:?}"),
            }
        }
    }
    for end in 0..text.len() {
        assert!(text[..end].parse::<Cursor>().is_err(), "{}", &text[..end]);
    }
    for more in ["0", " ", "-", "\0", "ü"] {
        for longer in [format!("{text}{more}"), format!("{more}{text}")] {
            let error = longer.parse::<Cursor>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{longer:?}");
        }
    }
}

#[test]
fn a_cursor_has_one_spelling_of_its_id() {
    let request = PageRequest::new(Filter::all()).limit(2).unwrap();
    let text = cursor_of(&request).to_string();
    let (head, id) = text.split_at(19);
    let hyphenated: EventId = {
        let parts = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]];
        parts.join("-").parse().unwrap()
    };
    for spelled in [
        hyphenated.to_string(),
        format!("{{{hyphenated}}}"),
        format!("urn:uuid:{hyphenated}"),
    ] {
        let error = format!("{head}{spelled}").parse::<Cursor>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{spelled}");
    }
}

#[test]
fn a_cursor_whose_list_was_changed_fits_no_list() {
    let request = PageRequest::new(Filter::all()).limit(2).unwrap();
    let text = cursor_of(&request).to_string();
    for at in 3..19 {
        let mut changed = text.clone();
        let digit = if &text[at..=at] == "0" { "1" } else { "0" };
        changed.replace_range(at..=at, digit);
        let cursor: Cursor = changed.parse().unwrap();
        let error = request.clone().cursor(cursor).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{changed}");
    }
}

#[test]
fn from_a_page_one_comes_back_to_the_page_before() {
    let all = fixture::events(1..=5);
    let scanned = |request: &PageRequest| -> Page<AuditEvent> {
        let scan = request.scan();
        let mut found: Vec<_> = all
            .iter()
            .filter(|event| match scan.bound {
                Some(bound) if scan.is_ascending => event.id > bound,
                Some(bound) => event.id < bound,
                None => true,
            })
            .cloned()
            .collect();
        if !scan.is_ascending {
            found.reverse();
        }
        found.truncate(scan.limit);
        Page::assemble(request, found)
    };
    let numbers = |page: &Page<AuditEvent>| -> Vec<u64> {
        page.events.iter().map(|event| event.seq.get()).collect()
    };
    for (order, pages) in [
        (Order::NewestFirst, [vec![5, 4], vec![3, 2], vec![1]]),
        (Order::OldestFirst, [vec![1, 2], vec![3, 4], vec![5]]),
    ] {
        let request = PageRequest::new(Filter::all())
            .order(order)
            .limit(2)
            .unwrap();
        let turn =
            |cursor: Option<Cursor>| scanned(&request.clone().cursor(cursor.unwrap()).unwrap());
        let first = scanned(&request);
        let second = turn(first.next);
        let third = turn(second.next);
        assert_eq!([&first, &second, &third].map(numbers), pages);
        assert!(first.previous.is_none() && third.next.is_none());
        let back = turn(third.previous);
        assert_eq!(
            (numbers(&back), back.next.is_some()),
            (pages[1].clone(), true)
        );
        let begin = turn(back.previous);
        assert_eq!((numbers(&begin), begin.previous), (pages[0].clone(), None));
    }
}
