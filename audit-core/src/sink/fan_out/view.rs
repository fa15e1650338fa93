use std::panic::{self, AssertUnwindSafe};

use tokio::time::Sleep;

use super::lane::Lane;
use super::rule::FanOutRule;
use crate::contain::Contained;
use crate::error::Error;
use crate::sink::{AuditSink, Forwarding, Health, Readiness};

/// What waits in the lane of one sink of a [`FanOut`](super::FanOut), and what that sink missed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LaneStatus {
    /// The name of the sink.
    pub name: String,
    /// Events in the lane, the ones in flight among them.
    pub n_events: usize,
    /// What they take in memory.
    pub bytes: usize,
    /// Events that the fan-out answered for and this sink does not have and will not get.
    pub n_missed: u64,
    /// Why the last append to the sink failed, if it did.
    pub trouble: Option<Error>,
}

impl LaneStatus {
    pub(super) fn of(lane: &Lane) -> Self {
        let (n_events, bytes) = lane.load();
        Self {
            name: lane.name.clone(),
            n_events,
            bytes,
            n_missed: lane.meters.n_missed(),
            trouble: lane.trouble(),
        }
    }
}

/// The health of one sink, as the fan-out sees it, with the name of the sink in the reason.
///
/// What a sink says of itself decides whether it is unavailable: an append that failed may be long
/// ago, and a gateway that is sent no calls would never find out that the sink works again.
pub(super) async fn health_of(lane: &Lane, timer: Sleep) -> Health {
    let health = tokio::select! {
        biased;
        health = Contained::new(|| async { Ok(lane.sink.health().await) }) => {
            health.unwrap_or_else(|error| Health::unavailable(error.to_string()))
        }
        () = timer => Health::unavailable("it does not answer"),
    };
    let n_missed = lane.meters.n_missed();
    let mut reasons: Vec<String> = health.reason.iter().map(ToString::to_string).collect();
    reasons.extend(lane.trouble().map(|error| error.to_string()));
    if n_missed > 0 {
        reasons.push(format!("it missed {n_missed} events"));
    }
    let is_in_trouble = reasons.len() > usize::from(health.reason.is_some());
    let readiness = match health.readiness {
        Readiness::Ready if is_in_trouble => Readiness::Degraded,
        readiness => readiness,
    };
    let reason = (!reasons.is_empty())
        .then(|| format!("sink `{}`: {}", lane.name, reasons.join("; ")).into());
    Health { readiness, reason }
}

/// What the rule makes of the health of each sink.
pub(super) fn health(rule: FanOutRule, of_sinks: &[Health]) -> Health {
    let readiness = || of_sinks.iter().map(|health| health.readiness);
    let decisive = match rule {
        FanOutRule::All => readiness().max(),
        FanOutRule::Any => readiness().min(),
        FanOutRule::Primary => readiness().next(),
    };
    let worst = readiness().max().unwrap_or(Readiness::Ready);
    let reasons: Vec<_> = of_sinks
        .iter()
        .filter_map(|it| it.reason.as_deref())
        .collect();
    match decisive.unwrap_or(Readiness::Ready) {
        Readiness::Unavailable => Health::unavailable(reasons.join(", ")),
        _ if worst > Readiness::Ready => Health::degraded(reasons.join(", ")),
        _ => Health::ready(),
    }
}

/// Whether there is a second answer.
pub(super) fn forwards(rule: FanOutRule, of_sinks: &[bool]) -> bool {
    match rule {
        FanOutRule::All | FanOutRule::Any => of_sinks.contains(&true),
        FanOutRule::Primary => of_sinks.first() == Some(&true),
    }
}

/// What the second answer means, and what waits: an event that waits before two last stores counts
/// twice.
pub(super) fn forwarding(rule: FanOutRule, lanes: &[Lane]) -> Option<Forwarding> {
    let of_sinks: Vec<_> = lanes.iter().map(forwarding_of).collect();
    let is_forwarding: Vec<_> = lanes.iter().map(|lane| lane.forwards).collect();
    if !forwards(rule, &is_forwarding) {
        return None;
    }
    let n_counted = match rule {
        FanOutRule::All | FanOutRule::Any => of_sinks.len(),
        FanOutRule::Primary => 1,
    };
    let durabilities: Vec<_> = of_sinks.iter().map(|it| it.durability).collect();
    let counted = || of_sinks.iter().take(n_counted);
    let oldest = counted().filter_map(|it| it.oldest).min();
    Some(Forwarding::to(rule.durability(&durabilities)).waiting(
        counted().map(|it| it.n_events).sum(),
        counted().map(|it| it.bytes).sum(),
        oldest,
    ))
}

/// A sink that answers once forwards nothing, and its first answer is its last.
fn forwarding_of(lane: &Lane) -> Forwarding {
    let forwarding = panic::catch_unwind(AssertUnwindSafe(|| lane.sink.forwarding()));
    let forwarding = forwarding.ok().flatten();
    forwarding.unwrap_or_else(|| Forwarding::to(lane.durability))
}
