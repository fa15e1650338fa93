//! Any text as a filter: what is read prints, and is read back as the same filter; what is none is
//! pointed at within the text.
#![no_main]

use audit_core::event::Timestamp;
use audit_core::reader::Filter;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let now = Timestamp::from_micros(1_700_000_000_000_000).expect("a moment");
    match Filter::parse(text, now) {
        Ok(filter) => {
            let printed = filter.to_string();
            // What is printed means the same at any moment.
            let again = Filter::parse(&printed, Timestamp::MIN).expect("what a filter prints");
            assert_eq!(again, filter, "{printed}");
            assert_eq!(again.to_string(), printed);
        }
        Err(error) => {
            // Behind the last character, where something is missing there.
            let n_chars = text.chars().count();
            assert!((1..=n_chars + 1).contains(&error.column()), "{error}");
            assert!(!error.to_string().is_empty());
        }
    }
});
