use std::sync::Arc;

use async_trait::async_trait;
use audit_core::sink::Health;
use audit_testkit::fixture;
use audit_web::access::Scope;
use audit_web::system::{
    DeadLetterLine, DeadLetterStatus, PartitionStatus, QueueStatus, SinkStatus, SpoolStatus,
    SystemReport, SystemStatus,
};

use super::page;
use crate::support::Stand;

#[derive(Debug)]
struct Troubled;

#[async_trait]
impl SystemStatus for Troubled {
    async fn report(&self) -> SystemReport {
        let mut report = SystemReport::default();
        report.store = Some("postgres://db.internal/audit".to_owned());
        report.schema = Some("7".to_owned());
        report.sinks = [
            ("one", Health::ready()),
            ("two", Health::degraded("the disk is nearly full")),
            ("three", Health::unavailable("<b>connection refused</b>")),
        ]
        .map(|(name, health)| SinkStatus {
            name: name.to_owned(),
            health,
        })
        .to_vec();
        report.queue = Some(QueueStatus {
            n_events: 12,
            n_bytes: 2_048,
            n_open_calls: 7,
        });
        report.spool = Some(SpoolStatus {
            n_events: 1_200,
            n_bytes: 5 << 20,
            oldest: Some(fixture::moment(1)),
        });
        report.dead_letters = Some(DeadLetterStatus {
            n_events: 1_000,
            is_capped: true,
            latest: vec![DeadLetterLine {
                event_id: fixture::event_id(3),
                set_aside_at: fixture::moment(4),
                reason: "\u{202e}a value is too long".to_owned(),
            }],
        });
        report.partitions = vec![PartitionStatus {
            name: "audit_events_2023_11".to_owned(),
            from: fixture::moment(0),
            to: fixture::moment(9),
            n_bytes: 3 << 30,
            n_events: 1_234_567,
            held_by: vec!["case-17".to_owned()],
        }];
        report.problems = vec!["the spool of gateway-2 cannot be read".to_owned()];
        report
    }
}

#[tokio::test]
async fn the_system_page_tells_what_it_was_told() {
    let stand = Stand::built(&[], |builder| builder.system(Arc::new(Troubled))).await;
    let page = page(&stand, Scope::Admin, "/system").await;
    let text = page.text();
    for part in [
        "postgres://db.internal/audit",
        "one: takes events",
        "two: takes events, and somebody should look; the disk is nearly full",
        "three: takes no events; <b>connection refused</b>",
        "2.0 KiB",
        "1,200",
        "5.0 MiB",
        "At least 1,000 events were refused for good.",
        "\\u{202e}a value is too long",
        "audit_events_2023_11",
        "1,234,567",
        "3.0 GiB",
        "case-17",
        "the spool of gateway-2 cannot be read",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    stand.end().await;
}

#[tokio::test]
async fn a_server_that_was_told_nothing_says_so() {
    let stand = Stand::with(&[]).await;
    let page = page(&stand, Scope::Admin, "/system").await;
    assert!(page.text().contains("was not told"), "{}", page.text());
    stand.end().await;
}
