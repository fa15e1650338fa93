//! P3: no depth of any input costs a stack.

use audit_core::payload::{Payload, PayloadContext, PayloadLimits, PayloadPolicy};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};
use serde_json::json;

use crate::bounds::assert_storable;
use crate::support::policy_of;

/// Runs `work` where a recursion of any depth would end the process.
fn on_a_small_stack(work: impl FnOnce() -> Payload + Send + 'static) -> Payload {
    let thread = std::thread::Builder::new().stack_size(128 << 10);
    thread.spawn(work).unwrap().join().unwrap()
}

fn widest() -> PayloadPolicy {
    policy_of(PayloadLimits::MAX)
}

/// A value that holds itself, in one of serde's ways.
#[derive(Clone, Copy)]
struct Bottomless(Way);

#[derive(Clone, Copy, Debug)]
enum Way {
    Key,
    Map,
    Mixed,
    NewtypeStruct,
    NewtypeVariant,
    Seq,
    Some,
    Struct,
}

impl Serialize for Bottomless {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Way::Key => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry(&Self(Way::Some), &1)?;
                map.end()
            }
            Way::Map => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("a", self)?;
                map.end()
            }
            Way::Mixed => Some([*self]).serialize(serializer),
            Way::NewtypeStruct => serializer.serialize_newtype_struct("Bottomless", self),
            Way::NewtypeVariant => {
                serializer.serialize_newtype_variant("Bottomless", 0, "again", self)
            }
            Way::Seq => {
                let mut seq = serializer.serialize_seq(Some(1))?;
                seq.serialize_element(self)?;
                seq.end()
            }
            Way::Some => serializer.serialize_some(self),
            Way::Struct => {
                let mut fields = serializer.serialize_struct("Bottomless", 2)?;
                fields.serialize_field("password", self)?;
                fields.serialize_field("b", self)?;
                fields.end()
            }
        }
    }
}

#[test]
fn p3_a_serialize_without_a_bottom_ends() {
    for way in [
        Way::Key,
        Way::Map,
        Way::Mixed,
        Way::NewtypeStruct,
        Way::NewtypeVariant,
        Way::Seq,
        Way::Some,
        Way::Struct,
    ] {
        for policy in [PayloadPolicy::default(), widest()] {
            let payload = on_a_small_stack(move || {
                Payload::from_serialize(&Bottomless(way), &PayloadContext::request(&policy))
            });
            assert_storable(&payload);
            assert!(payload.report().truncated, "{way:?}");
        }
    }
}

/// `n` openings of some kind, without their ends.
fn openings(n: usize) -> Vec<String> {
    vec![
        "[".repeat(n),
        "{\"a\":".repeat(n),
        "[{\"k\":".repeat(n),
        "{\"password\":[".repeat(n),
        "properties:{".repeat(n),
        "{\"properties\":{\"password\":".repeat(n),
        "{\"anyOf\":[".repeat(n),
    ]
}

#[test]
fn p3_brackets_in_a_text_cost_no_stack() {
    for text in openings(100_000) {
        for policy in [PayloadPolicy::default(), widest()] {
            let text = text.clone();
            let payload = on_a_small_stack(move || {
                Payload::from_text(&text, &PayloadContext::response(&policy))
            });
            assert_storable(&payload);
            assert!(payload.report().truncated);
        }
    }
}

#[test]
fn p3_brackets_in_json_inside_a_string_cost_no_stack() {
    for text in openings(3_000) {
        for policy in [PayloadPolicy::default(), widest()] {
            let once = json!({"a": text}).to_string();
            let twice = json!({"a": once}).to_string();
            let thrice = json!([{"b": twice}]).to_string();
            let payload = on_a_small_stack(move || {
                Payload::from_json(thrice, &PayloadContext::request(&policy))
            });
            assert_storable(&payload);
        }
    }
}

#[test]
fn p3_schemas_inside_each_other_cost_no_stack() {
    for policy in [PayloadPolicy::default(), widest()] {
        for text in openings(100_000) {
            let policy = policy.clone();
            let payload = on_a_small_stack(move || {
                Payload::from_json(text, &PayloadContext::request(&policy))
            });
            assert_storable(&payload);
        }
    }
}
