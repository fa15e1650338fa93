use audit_core::{AuditSink, ErrorKind};
use audit_postgres::{PartitionWidth, PostgresConfig, PostgresSink};

use crate::database::{Database, append_at, at, event_at};

/// Every partition as name, beginning and end; asserts that none overlaps another.
async fn ranges(database: &Database) -> Vec<String> {
    let overlaps: i64 = database
        .value(
            "SELECT count(*) FROM audit_partitions AS a, audit_partitions AS b
             WHERE a.name < b.name AND a.from_id < b.to_id AND b.from_id < a.to_id",
        )
        .await;
    assert_eq!(overlaps, 0);
    database
        .values(
            "SELECT name || ' ' || to_char(from_ts AT TIME ZONE 'UTC', 'YYYY-MM-DD') || ' '
                || to_char(to_ts AT TIME ZONE 'UTC', 'YYYY-MM-DD')
             FROM audit_partitions ORDER BY from_id",
        )
        .await
}

async fn n_events(database: &Database) -> i64 {
    database.value("SELECT count(*) FROM audit_events").await
}

/// `now()` plus an interval, as an append takes it.
async fn moment(database: &Database, sql: &str) -> String {
    database
        .value(&format!(
            "SELECT to_char(({sql}) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
        ))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn far_moments_and_both_ends_of_time_are_stored() {
    let (database, _) = Database::migrated().await;
    let sink = database.sink().await;
    let moments = [
        "1970-01-01T00:00:00Z",
        "1970-12-31T23:59:59.999999Z",
        "1971-01-01T00:00:00Z",
        "2000-02-29T12:00:00Z",
        "2024-02-29T23:59:59.999999Z",
        "2024-03-01T00:00:00Z",
        "2024-12-31T23:59:59.999999Z",
        "2050-01-01T00:00:00Z",
        "2999-12-31T23:59:59.999999Z",
        "3000-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
    ];
    append_at(&sink, &moments).await;
    assert_eq!(n_events(&database).await, 11);
    let ranges = ranges(&database).await;
    for expected in [
        "audit_events_1970 1970-01-01 1971-01-01",
        "audit_events_1971 1971-01-01 1972-01-01",
        "audit_events_2000 2000-01-01 2001-01-01",
        "audit_events_2024 2024-01-01 2025-01-01",
        "audit_events_2050 2050-01-01 2051-01-01",
        "audit_events_2901 2901-01-01 3001-01-01",
        "audit_events_9901 9901-01-01 10001-01-01",
    ] {
        assert!(
            ranges.iter().any(|range| range == expected),
            "{expected}: {ranges:?}"
        );
    }
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_holds_its_month_to_the_last_microsecond() {
    let (database, maintainer) = Database::migrated().await;
    maintainer.partitions().create_ahead(12).await.unwrap();
    let sink = database.sink().await;
    let ranges = ranges(&database).await;
    assert_eq!(ranges.len(), 13, "{ranges:?}");
    for n in 1..=12 {
        let first_of = format!(
            "(date_trunc('month', now() AT TIME ZONE 'UTC') + interval '{n} months') AT TIME ZONE 'UTC'"
        );
        let next = moment(&database, &first_of).await;
        let last = moment(
            &database,
            &format!("({first_of}) - interval '1 microsecond'"),
        )
        .await;
        append_at(&sink, &[&last, &next]).await;
        let months: i64 = database
            .value("SELECT count(*) FROM audit_events WHERE tableoid::regclass::text <> 'audit_events_' || to_char(ts AT TIME ZONE 'UTC', 'YYYY_MM')")
            .await;
        assert_eq!(months, 0, "{last} {next}");
    }
    // Nothing new was needed.
    assert_eq!(self::ranges(&database).await, ranges);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn days_and_months_take_what_the_other_left() {
    let (database, maintainer) = Database::migrated().await;
    let partitions = maintainer.partitions();
    assert_eq!(partitions.width().await.unwrap(), PartitionWidth::Month);
    partitions.set_width(PartitionWidth::Day).await.unwrap();
    assert_eq!(partitions.width().await.unwrap(), PartitionWidth::Day);
    let sink = database.sink().await;
    // In the month behind the next, of which no partition is there: its third and fifth day.
    let day = |n: u32| {
        format!(
            "(date_trunc('month', now() AT TIME ZONE 'UTC') + interval '2 months {n} days') AT TIME ZONE 'UTC'"
        )
    };
    append_at(
        &sink,
        &[
            &moment(&database, &day(2)).await,
            &moment(&database, &day(4)).await,
        ],
    )
    .await;
    partitions.set_width(PartitionWidth::Month).await.unwrap();
    let before = ranges(&database).await.len();
    append_at(
        &sink,
        &[
            &moment(&database, &day(3)).await,
            &moment(&database, &day(0)).await,
            &moment(&database, &day(9)).await,
        ],
    )
    .await;
    let after = ranges(&database).await;
    assert_eq!(after.len(), before + 3, "{after:?}");
    // The month is covered without a hole.
    let seconds: f64 = database
        .value(&format!(
            "SELECT sum(extract(epoch FROM to_ts - from_ts))::float8 - extract(epoch FROM
                 (date_trunc('month', now() AT TIME ZONE 'UTC') + interval '3 months')
                 - (date_trunc('month', now() AT TIME ZONE 'UTC') + interval '2 months'))::float8
             FROM audit_partitions WHERE from_ts >= {} AND from_ts < {} + interval '27 days'",
            day(0),
            day(0)
        ))
        .await;
    assert!(seconds.abs() < 1e-6, "{seconds} {after:?}");
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leap_day_is_a_day_of_its_month() {
    let moments = [
        "2028-02-28T23:59:59.999999Z",
        "2028-02-29T00:00:00Z",
        "2028-02-29T23:59:59.999999Z",
        "2028-03-01T00:00:00Z",
    ];
    let of_days = [
        "audit_events_2028_02_28 2028-02-28 2028-02-29",
        "audit_events_2028_02_29 2028-02-29 2028-03-01",
        "audit_events_2028_03_01 2028-03-01 2028-03-02",
    ];
    let of_months = [
        "audit_events_2028_02 2028-02-01 2028-03-01",
        "audit_events_2028_03 2028-03-01 2028-04-01",
    ];
    for (width, expected) in [
        (PartitionWidth::Day, &of_days[..]),
        (PartitionWidth::Month, &of_months[..]),
    ] {
        let (database, maintainer) = Database::migrated().await;
        maintainer.partitions().set_width(width).await.unwrap();
        // As it will be made then.
        for moment in moments {
            let make = format!("SELECT audit_make_partition(audit_id_at('{moment}'), '{moment}')");
            database.value::<Option<String>>(&make).await;
        }
        append_at(&database.sink().await, &moments).await;
        let ranges = ranges(&database).await;
        let of_2028: Vec<_> = ranges.iter().filter(|it| it.contains("_2028_")).collect();
        assert_eq!(of_2028, expected);
        let misplaced: i64 = database
            .value(
                "SELECT count(*) FROM audit_events
                 JOIN audit_partitions ON table_oid = audit_events.tableoid
                 WHERE ts < from_ts OR ts >= to_ts",
            )
            .await;
        assert_eq!(misplaced, 0);
        database.drop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_on_a_bound_belongs_to_what_begins_there() {
    let (database, _) = Database::migrated().await;
    let names: Vec<Option<String>> = database
        .values(
            "SELECT audit_ensure_partition(id) FROM unnest(ARRAY[
                 audit_id_at('2020-01-01Z'),
                 audit_id_at('2021-01-01Z'),
                 -- The last id of 2019, and what is no id of ours but has a time all the same.
                 ('016f5e66-e7ff-ffff-ffff-ffffffffffff')::uuid,
                 '00000000-0000-0000-0000-000000000000'::uuid,
                 '67e55044-10b1-426f-9247-bb680e5fe0c8'::uuid
             ]) AS id",
        )
        .await;
    let names: Vec<_> = names.into_iter().flatten().collect();
    assert_eq!(
        names,
        [
            "audit_events_2020",
            "audit_events_2021",
            "audit_events_2019",
            "audit_events_1970",
            "audit_events_5501"
        ]
    );
    ranges(&database).await;
    let error =
        sqlx::query("SELECT audit_ensure_partition('ffffffff-ffff-ffff-ffff-ffffffffffff')")
            .execute(&database.pool)
            .await
            .unwrap_err();
    assert_eq!(error.as_database_error().unwrap().code().unwrap(), "22008");
    let nothing: Option<String> = database.value("SELECT audit_ensure_partition(NULL)").await;
    assert_eq!(nothing, None);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn times_and_ids_are_exact_to_the_millisecond_everywhere() {
    let (database, _) = Database::migrated().await;
    let wrong: i64 = database
        .value(
            "SELECT count(*) FROM generate_series(0, 253402300799999, 86399999999) AS millis,
             LATERAL (SELECT (lpad(to_hex(millis), 12, '0') || '00000000000000000000')::uuid) AS of (id)
             WHERE audit_id_at(audit_time_of(id)) <> id
                OR audit_id_at(audit_time_of(id) + interval '999 microseconds') <> id
                OR extract(epoch FROM audit_time_of(id)) * 1000 <> millis",
        )
        .await;
    assert_eq!(wrong, 0);
    let ends: Vec<String> = database
        .values("SELECT audit_id_at(ts)::text FROM unnest(ARRAY['-infinity', '1969-12-31 23:59:59.9Z', 'infinity', '20000-01-01Z']::timestamptz[]) AS ts")
        .await;
    assert_eq!(ends[0], ends[1]);
    assert!(ends[0].starts_with("00000000-0000-0000"), "{ends:?}");
    assert_eq!(ends[2], ends[3]);
    assert!(ends[2].starts_with("ffffffff-ffff-0000"), "{ends:?}");
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_of_a_session_move_no_bound() {
    let expected = {
        let (database, _) = Database::migrated().await;
        append_at(
            &database.sink().await,
            &["2019-06-15T00:00:00Z", "2026-03-29T01:30:00Z"],
        )
        .await;
        let ranges = ranges(&database).await;
        database.drop().await;
        ranges
    };
    for settings in [
        "-ctimezone=America/Sao_Paulo -cdatestyle=SQL,DMY -cintervalstyle=sql_standard",
        "-ctimezone=Pacific/Kiritimati -cdatestyle=German -cintervalstyle=iso_8601",
    ] {
        let (database, _) = Database::migrated().await;
        let mut url = database.url.clone();
        url.query_pairs_mut().append_pair("options", settings);
        let config = PostgresConfig::from_url(url.as_str()).unwrap();
        let sink = PostgresSink::connect(&config).await.unwrap();
        append_at(&sink, &["2019-06-15T00:00:00Z", "2026-03-29T01:30:00Z"]).await;
        assert_eq!(ranges(&database).await, expected, "{settings}");
        database.drop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_sessions_make_one_partition() {
    let (database, _) = Database::migrated().await;
    let tasks: Vec<_> = (1..=8)
        .map(|number| {
            let config = database.config();
            tokio::spawn(async move {
                let sink = PostgresSink::connect(&config).await?;
                let events: Vec<_> = (0..20)
                    .map(|year| event_at(at(&format!("{}-06-01T00:00:00Z", 2000 + year)), number))
                    .collect();
                sink.append(&events).await
            })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap().unwrap().is_all_kept());
    }
    assert_eq!(n_events(&database).await, 160);
    let n_years: i64 = database
        .value("SELECT count(*) FROM audit_partitions WHERE to_ts <= '2020-01-01Z'")
        .await;
    assert_eq!(n_years, 20);
    ranges(&database).await;
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_taken_is_no_obstacle() {
    let (database, _) = Database::migrated().await;
    database
        .run("CREATE TABLE audit_events_2019 (x int); CREATE VIEW audit_events_2019_part2 AS SELECT 1")
        .await;
    append_at(&database.sink().await, &["2019-06-15T00:00:00Z"]).await;
    let ranges = ranges(&database).await;
    assert!(
        ranges.contains(&"audit_events_2019_part3 2019-01-01 2020-01-01".to_owned()),
        "{ranges:?}"
    );
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_says_what_each_partition_holds() {
    let (database, maintainer) = Database::migrated().await;
    append_at(
        &database.sink().await,
        &["2019-06-15T00:00:00Z", "2019-06-16T00:00:00Z"],
    )
    .await;
    database.run("ANALYZE audit_events_2019").await;
    let partitions = maintainer.partitions().list().await.unwrap();
    let first = &partitions[0];
    assert_eq!(first.name, "audit_events_2019");
    assert_eq!(
        (first.from, first.to),
        (at("2019-01-01T00:00:00Z"), at("2020-01-01T00:00:00Z"))
    );
    assert_eq!(first.n_events, 2);
    assert!(first.n_bytes > 0);
    assert!(!first.is_held() && !first.is_detaching);
    assert!(partitions.is_sorted_by_key(|partition| partition.from));
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn making_ahead_makes_what_is_missing_and_says_so() {
    let (database, maintainer) = Database::migrated().await;
    let partitions = maintainer.partitions();
    assert_eq!(partitions.create_ahead(2).await.unwrap().len(), 3);
    assert_eq!(partitions.create_ahead(3).await.unwrap().len(), 1);
    assert!(partitions.create_ahead(3).await.unwrap().is_empty());
    partitions.set_width(PartitionWidth::Day).await.unwrap();
    // All of these days lie in months that are there.
    assert!(partitions.create_ahead(20).await.unwrap().is_empty());
    let error = partitions.create_ahead(367).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_go_on_while_a_partition_is_made() {
    let (database, _) = Database::migrated().await;
    let sink = database.sink().await;
    // A writer in the middle of its transaction.
    let mut open = database.pool.begin().await.unwrap();
    sqlx::query("SELECT count(*) FROM audit_events")
        .execute(&mut *open)
        .await
        .unwrap();
    sqlx::query("DELETE FROM audit_events")
        .execute(&mut *open)
        .await
        .unwrap();
    append_at(&sink, &["2019-06-15T00:00:00Z"]).await;
    open.commit().await.unwrap();
    assert_eq!(n_events(&database).await, 1);
    database.drop().await;
}
