//! CSV as a spreadsheet reads it.

use audit_core::event::{AuditEvent, Check, Decision, Reason, Role, Seq, ToolName};
use audit_core::reader::Filter;
use audit_export::{Column, ExportFormat, ExportRequest};
use audit_testkit::fixture;
use proptest::prelude::*;

use crate::support::{store, whole};

fn event(number: u64, role: &str, tool: &str, reason: &str) -> AuditEvent {
    fixture::draft(number)
        .role(Role::lossy(role))
        .tool_name(ToolName::lossy(tool))
        .decision(Decision::allowed().authz(Check::denied(Reason::lossy(reason))))
        .stamp(fixture::writer(), Seq::new(number).unwrap())
        .unwrap()
}

fn csv(events: &[AuditEvent]) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let file = runtime.block_on(async {
        let request = ExportRequest::new(Filter::all(), ExportFormat::Csv);
        whole(&store(events).await, &request).await
    });
    String::from_utf8(file).unwrap()
}

fn cells(text: &str, separator: u8) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(separator != b',')
        .from_reader(text.as_bytes());
    let rows = reader.records().map(|row| row.unwrap());
    rows.map(|row| row.iter().map(str::to_owned).collect())
        .collect()
}

/// Whether a spreadsheet could make a formula of it, quotes and blanks taken off.
fn is_formula(cell: &str) -> bool {
    let bare = cell.trim_start_matches(|it: char| it.is_whitespace() || it == '"');
    cell.starts_with(['\t', '\r']) || bare.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

#[test]
fn the_columns_are_the_fields_of_the_event() {
    let event = fixture::full_event(1);
    let rows = cells(&csv(std::slice::from_ref(&event)), b',');
    assert_eq!(rows.len(), 3, "a header, a row, a last line");
    let json: serde_json::Value = serde_json::from_str(&event.to_json()).unwrap();
    for ((column, name), cell) in Column::ALL.iter().zip(&rows[0]).zip(&rows[1]) {
        assert_eq!(column.name(), name);
        let field = match name.as_str() {
            "client_name" => &json["client"]["name"],
            "client_version" => &json["client"]["version"],
            "client_address" => &json["client"]["address"],
            "auth" | "authz" | "rate" => &json["decision"][name.as_str()]["verdict"],
            "auth_reason" | "authz_reason" | "rate_reason" => {
                &json["decision"][name.split_once('_').unwrap().0]["reason"]
            }
            name => &json[name],
        };
        match field {
            serde_json::Value::Null => assert_eq!(cell, "", "{name}"),
            serde_json::Value::String(text) => assert_eq!(cell, text, "{name}"),
            value => assert_eq!(
                &serde_json::from_str::<serde_json::Value>(cell).unwrap(),
                value,
                "{name}"
            ),
        }
    }
    assert!(rows[2][0].starts_with("#audit_export rows=1 sha256="));
    assert!(rows[2][1..].iter().all(String::is_empty));
}

#[test]
fn known_attacks_stay_text() {
    let attacks = [
        "=cmd|' /C calc'!A0",
        "@SUM(1+9)*cmd|' /C calc'!A0",
        "\"=1+1\"",
        "\t=1+1",
        "\r=1+1",
        "x;=1+1",
        "x\n=1+1",
        "\";=1+1;\"",
        "-2+3",
        "＝1+1",
    ];
    let events: Vec<_> = (1..)
        .zip(attacks)
        .map(|(number, text)| event(number, text, text, text))
        .collect();
    let text = csv(&events);
    for separator in [b',', b';', b'\t'] {
        for row in cells(&text, separator) {
            for cell in row {
                assert!(
                    !is_formula(&cell),
                    "{cell:?} by {:?}",
                    char::from(separator)
                );
            }
        }
    }
}

/// Text of what matters to CSV and spreadsheets.
fn hostile() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[a=+\\-@#;,\"' \t\r\n＝0]{0,12}").unwrap()
}

proptest! {
    #[test]
    fn no_cell_begins_as_a_formula(
        texts in proptest::collection::vec((hostile(), hostile(), hostile()), 1..5)
    ) {
        let events: Vec<_> = (1..)
            .zip(&texts)
            .map(|(number, (role, tool, reason))| event(number, role, tool, reason))
            .collect();
        let text = csv(&events);
        let rows = cells(&text, b',');
        prop_assert_eq!(rows.len(), events.len() + 2);
        for separator in [b',', b';', b'\t'] {
            for cell in cells(&text, separator).into_iter().flatten() {
                prop_assert!(!is_formula(&cell), "{:?} by {:?} in {:?}", cell, separator, text);
            }
        }
        // Nothing but apostrophes was added.
        for (row, (_, tool, _)) in rows[1..].iter().zip(&texts) {
            let bare = |text: &str| text.replace('\'', "");
            let expected = ToolName::lossy(tool);
            prop_assert_eq!(bare(&row[5]), bare(expected.as_str()));
        }
    }
}
