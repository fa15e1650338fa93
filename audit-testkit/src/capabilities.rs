use std::time::Duration;

/// What a sink can be asked to show, and what it cannot do: the one place where sinks differ.
///
/// [`Capabilities::new`] is a store that keeps the whole contract and has no hooks beyond
/// [`open`](crate::Harness::open). A case that asks for more than is declared is left out, and
/// says so on standard error; [`left_out`](crate::conformance::left_out) lists them, so that a
/// sink's tests can hold the list.
///
/// # Examples
/// ```
/// use audit_testkit::{Capabilities, conformance};
///
/// let of_a_database = Capabilities::new().survives_reopen(true).fails_on_request(true);
/// assert_eq!(
///     conformance::left_out(&of_a_database),
///     ["an_unstorable_event_is_refused_alone", "a_full_store_keeps_nothing_of_a_batch"],
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Receipts tell what the store itself found: [`AlreadyStored`] and conflicts come at once. A
    /// spool that answers before it asked the store cannot. True by default.
    ///
    /// [`AlreadyStored`]: audit_core::sink::Receipt::AlreadyStored
    pub has_exact_receipts: bool,
    /// Readers see events when `append` answers, not only behind a `flush`. False for what
    /// answers before its last store has the events. True by default.
    pub is_visible_before_flush: bool,
    /// What the sink answered for and its last store refuses is told by an event of the sink's own,
    /// which the suite passes over. False by default.
    pub tells_losses: bool,
    /// The reader still answers when the sink is closed. True by default.
    pub is_readable_after_close: bool,
    /// What answered `Ok` is still there when the store was killed and
    /// [opened again](crate::Harness::reopen). False by default.
    pub survives_reopen: bool,
    /// The next append can be [made to fail](crate::Harness::fail_next_append). False by default.
    pub fails_on_request: bool,
    /// There is room for so many events and no more, if that
    /// [is asked for](crate::Harness::open_with_room_for). False by default.
    pub is_bounded: bool,
    /// There is [an event](crate::Harness::open_with_unstorable) that the store refuses for what
    /// it is. False by default.
    pub refuses_an_event: bool,
    /// How long to wait for what must happen; a case has six times as long in all. Ten seconds by
    /// default.
    pub patience: Duration,
}

/// Defines setters of the same names as the fields.
macro_rules! setters {
    ($($name:ident: $type:ty),+) => {
        $(
            #[doc = concat!("The same with [`", stringify!($name), "`](field@Self::", stringify!($name), ").")]
            #[must_use]
            pub const fn $name(mut self, $name: $type) -> Self {
                self.$name = $name;
                self
            }
        )+
    };
}

impl Capabilities {
    /// The whole contract, without hooks.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            has_exact_receipts: true,
            is_visible_before_flush: true,
            tells_losses: false,
            is_readable_after_close: true,
            survives_reopen: false,
            fails_on_request: false,
            is_bounded: false,
            refuses_an_event: false,
            patience: Duration::from_secs(10),
        }
    }

    setters! {
        has_exact_receipts: bool,
        is_visible_before_flush: bool,
        tells_losses: bool,
        is_readable_after_close: bool,
        survives_reopen: bool,
        fails_on_request: bool,
        is_bounded: bool,
        refuses_an_event: bool,
        patience: Duration
    }
}

impl Default for Capabilities {
    fn default() -> Self {
        Self::new()
    }
}
