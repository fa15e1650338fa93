use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use uuid::{Builder, Uuid, Variant, Version};

use super::error::{FieldProblem, InvalidField};
use super::timestamp::Timestamp;

/// The idempotency key of an event: a UUIDv7 of the millisecond in which the call began.
///
/// The order of ids is the order of time, so that a store's primary key is also the index of its
/// list. Form: RFC 9562, section 5.7.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(Uuid);

impl EventId {
    /// The smallest id; every other one is greater.
    pub const MIN: Self = Self::with_bits(0, 0, 0);

    /// The id of a moment.
    ///
    /// The bits behind the millisecond are the microsecond within it, scaled to 12 bits (RFC
    /// 9562, section 6.2, method 3), then the low 62 bits of `random`: ids of two moments are in
    /// the order of the moments, and ids of one moment in the order of `random`.
    #[must_use]
    pub const fn new(ts: Timestamp, random: u64) -> Self {
        // A timestamp is never negative.
        let micros = ts.as_micros().unsigned_abs();
        Self::with_bits(micros / 1_000, (micros % 1_000) * 4_096 / 1_000, random)
    }

    /// Takes a UUID of version 7.
    ///
    /// # Errors
    /// The UUID is of another version or variant, or its moment lies after the year 9999.
    pub fn from_uuid(uuid: Uuid) -> Result<Self, InvalidField> {
        let is_v7 =
            uuid.get_version() == Some(Version::SortRand) && uuid.get_variant() == Variant::RFC4122;
        let id = Self(uuid);
        if is_v7 && id.unix_millis() <= Timestamp::MAX.as_micros() / 1_000 {
            return Ok(id);
        }
        Err(InvalidField::new("id", MALFORMED))
    }

    /// The id as a UUID.
    #[must_use]
    pub const fn as_uuid(&self) -> &Uuid {
        &self.0
    }

    /// The beginning of the millisecond that the id carries.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        // Both ways to make an id check the range.
        Timestamp::from_micros(self.unix_millis() * 1_000).unwrap_or(Timestamp::MAX)
    }

    /// The smallest id of a moment's millisecond: the lower end of a range of time.
    #[must_use]
    pub const fn first_of_millisecond(ts: Timestamp) -> Self {
        Self::with_bits(ts.as_micros().unsigned_abs() / 1_000, 0, 0)
    }

    /// The largest id of a moment's millisecond: the upper end of a range of time.
    #[must_use]
    pub const fn last_of_millisecond(ts: Timestamp) -> Self {
        Self::with_bits(ts.as_micros().unsigned_abs() / 1_000, u64::MAX, u64::MAX)
    }

    /// Whether the id carries the millisecond of `ts`.
    #[must_use]
    pub fn is_of(&self, ts: Timestamp) -> bool {
        self.unix_millis() == ts.as_micros() / 1_000
    }

    const fn with_bits(millis: u64, fraction: u64, random: u64) -> Self {
        let high = (millis << 16) | (fraction & 0xfff);
        let bits = ((high as u128) << 64) | (random & 0x3fff_ffff_ffff_ffff) as u128;
        // The builder writes version and variant over the bits left free for them.
        Self(
            Builder::from_u128(bits)
                .with_version(Version::SortRand)
                .with_variant(Variant::RFC4122)
                .into_uuid(),
        )
    }

    fn unix_millis(&self) -> i64 {
        i64::try_from(self.0.as_u128() >> 80).unwrap_or(i64::MAX)
    }
}

const MALFORMED: FieldProblem = FieldProblem::Malformed {
    expected: "a UUID of version 7 (RFC 9562)",
};

impl FromStr for EventId {
    type Err = InvalidField;

    fn from_str(text: &str) -> Result<Self, InvalidField> {
        let uuid = Uuid::try_parse(text).map_err(|_| InvalidField::new("id", MALFORMED))?;
        Self::from_uuid(uuid)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventId({self})")
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut buffer = Uuid::encode_buffer();
        serializer.serialize_str(self.0.as_hyphenated().encode_lower(&mut buffer))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn timestamps() -> impl Strategy<Value = Timestamp> {
        (0..=Timestamp::MAX.as_micros()).prop_map(|micros| Timestamp::from_micros(micros).unwrap())
    }

    proptest! {
        #[test]
        fn the_order_of_ids_is_the_order_of_time(a in timestamps(), b in timestamps(), x: u64, y: u64) {
            let by_id = EventId::new(a, x).cmp(&EventId::new(b, y));
            if a != b {
                prop_assert_eq!(by_id, a.cmp(&b));
            }
        }

        #[test]
        fn neighboring_microseconds_are_in_order(a in 0..Timestamp::MAX.as_micros(), x: u64, y: u64) {
            let earlier = EventId::new(Timestamp::from_micros(a).unwrap(), x);
            prop_assert!(earlier < EventId::new(Timestamp::from_micros(a + 1).unwrap(), y));
        }

        #[test]
        fn an_id_is_read_as_it_was_written(ts in timestamps(), random: u64) {
            let id = EventId::new(ts, random);
            prop_assert_eq!(id.to_string().parse::<EventId>().unwrap(), id);
            prop_assert_eq!(EventId::from_uuid(*id.as_uuid()).unwrap(), id);
            prop_assert!(id.is_of(ts));
            prop_assert!(EventId::first_of_millisecond(ts) <= id);
            prop_assert!(EventId::last_of_millisecond(ts) >= id);
            prop_assert!(EventId::last_of_millisecond(ts).is_of(ts));
        }
    }

    #[test]
    fn another_variant_and_a_moment_that_rfc_3339_cannot_write_are_refused() {
        let id = EventId::new(Timestamp::MAX, 1);
        assert_eq!(EventId::from_uuid(*id.as_uuid()).unwrap(), id);
        let bits = id.as_uuid().as_u128();
        let next_millisecond = Uuid::from_u128(bits + (1 << 80));
        let microsoft = Uuid::from_u128(bits | 0xc000_0000_0000_0000);
        for uuid in [next_millisecond, microsoft] {
            assert_eq!(
                EventId::from_uuid(uuid).unwrap_err().field(),
                "id",
                "{uuid}"
            );
        }
    }

    #[test]
    fn another_version_is_refused() {
        for text in [
            "67e55044-10b1-426f-9247-bb680e5fe0c8",
            "00000000-0000-0000-0000-000000000000",
            "x",
        ] {
            assert_eq!(text.parse::<EventId>().unwrap_err().field(), "id");
        }
    }
}
