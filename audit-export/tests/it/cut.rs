//! A file that is not whole is noticed.

use std::io::Cursor;

use audit_core::reader::Filter;
use audit_export::{Compression, ExportFormat, ExportRequest, verify};
use audit_testkit::fixture;

use crate::support::{jsonl, requests, store, whole};

#[tokio::test]
async fn a_cut_is_noticed_at_every_byte() {
    let mut events = fixture::events(1..=3);
    events.push(fixture::full_event(4));
    let store = store(&events).await;
    for request in requests() {
        let file = whole(&store, &request).await;
        for end in 0..file.len() {
            let error = verify(Cursor::new(file[..end].to_vec())).unwrap_err();
            assert!(error.is_cut(), "{request:?} cut at {end}: {error}");
        }
        verify(Cursor::new(file)).unwrap();
    }
}

#[tokio::test]
async fn a_cut_of_a_long_file_is_noticed_at_the_ends_of_its_lines() {
    let store = store(&fixture::events(1..=10_500)).await;
    let file = whole(&store, &jsonl()).await;
    let ends = file.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let last = file.len() - 1;
    for (end, _) in ends.filter(|(end, _)| *end != last).step_by(997) {
        let cut = file[..=end].to_vec();
        assert!(verify(Cursor::new(cut)).unwrap_err().is_cut(), "{end}");
    }
}

#[tokio::test]
async fn a_row_that_is_missing_or_changed_is_noticed() {
    let store = store(&fixture::events(1..=4)).await;
    for format in ExportFormat::ALL {
        let request = ExportRequest::new(Filter::all(), *format);
        let file = whole(&store, &request).await;
        let text = String::from_utf8(file).unwrap();
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        lines.remove(2);
        let error = verify(Cursor::new(lines.concat())).unwrap_err();
        assert!(error.to_string().contains("4 rows"), "{error}");

        let changed = text.replacen("tools/call", "tools/cull", 1);
        assert_ne!(changed, text);
        let error = verify(Cursor::new(changed)).unwrap_err();
        assert!(
            error.to_string().contains("not what was exported"),
            "{error}"
        );

        let error = verify(Cursor::new(text.clone() + &text)).unwrap_err();
        assert!(
            error.to_string().contains("behind the last line"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_bit_that_is_another_is_noticed_in_what_is_compressed() {
    let store = store(&fixture::events(1..=3)).await;
    let request = jsonl().compression(Compression::Zstd);
    let file = whole(&store, &request).await;
    let totals = verify(Cursor::new(file.clone())).unwrap();
    // The first four bytes say that it is compressed at all.
    for at in 4..file.len() {
        let mut other = file.clone();
        other[at] ^= 1 << (at % 8);
        // Some bits of a frame say nothing about its text.
        match verify(Cursor::new(other)) {
            Ok(found) => assert_eq!(found, totals, "{at}"),
            Err(error) => assert!(!error.is_unreadable(), "{at}: {error:?}"),
        }
    }
}

#[test]
fn what_is_no_export_is_said_to_be_none() {
    for text in ["hello\n", "\n", "[]\n", "id,ts\n"] {
        let error = verify(Cursor::new(text)).unwrap_err();
        assert!(
            error.to_string().contains("none of an export"),
            "{text}: {error}"
        );
    }
    assert!(verify(Cursor::new("")).unwrap_err().is_cut());
}
