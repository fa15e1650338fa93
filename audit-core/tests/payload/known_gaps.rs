//! What is known to get through, a case for each row of the table in SECURITY.md: it is tried here,
//! so that the table stays true. A case that fails because its secret is gone is good news; its row
//! then goes as well.

use audit_core::payload::PayloadPolicy;
use serde_json::{Value, json};

use crate::support::{ALPHANUMERIC, HEX, Random, base64, json as text_of, keep, password};

/// An input, and what is left of it although it is a secret.
struct Case {
    input: Value,
    left: String,
}

/// A row of the table and its cases.
type Gap = (&'static str, Vec<Case>);

/// The cases in which `secret` itself is left.
fn leaving(secret: &str, inputs: impl IntoIterator<Item = Value>) -> Vec<Case> {
    let case = |input| Case {
        input,
        left: secret.to_owned(),
    };
    inputs.into_iter().map(case).collect()
}

fn gaps() -> Vec<Gap> {
    let secret = &password(91);
    let number = 48_219_372;
    let utf16: Vec<u8> = format!("password={secret}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let utf16 = base64(utf16);
    let mut deep = json!({"password": secret}).to_string();
    for _ in 0..5 {
        deep = base64(deep);
    }
    let wrapped = base64(format!("some words and then password={secret}"));
    let (first_line, second_line) = wrapped.split_at(52);
    let wrapped = format!("{first_line}\n{second_line}");
    let plain = base64(secret);
    let mut random = Random::new(92);
    let twilio = format!("SK{}", random.word(HEX, 32));
    let uuid = [8, 4, 4, 4, 12].map(|n| random.word(HEX, n)).join("-");
    let short = format!("ghp_{}", random.word(ALPHANUMERIC, 20));
    let key = crate::support::private_key(93);
    let lines: Vec<&str> = key.lines().collect();
    let middle = lines[3..6].join("\n");
    let of = |left: &String, input: Value| {
        vec![Case {
            input,
            left: left.clone(),
        }]
    };
    vec![
        (
            "a secret in prose",
            leaving(
                secret,
                [
                    json!(format!("my password is {secret}")),
                    json!(format!("PASSWORD {secret}")),
                    json!(format!("machine host\nlogin me\npassword {secret}\n")),
                ],
            ),
        ),
        (
            "attached or positional arguments",
            leaving(
                secret,
                [
                    json!(format!("mysql -p{secret} -u me")),
                    json!(format!("curl -u me:{secret} https://host/")),
                    json!(["curl", "-u", format!("me:{secret}")]),
                ],
            ),
        ),
        (
            "a data source name without a scheme",
            leaving(secret, [json!(format!("me:{secret}@tcp(db:3306)/x"))]),
        ),
        (
            "base64 of a secret that no rule names",
            [
                of(&plain, json!({"a": plain})),
                of(&second_line.to_owned(), json!({"a": wrapped})),
            ]
            .into_iter()
            .flatten()
            .collect(),
        ),
        (
            "a secret in pieces",
            [
                of(
                    &secret[..12].to_owned(),
                    json!([secret[..12], secret[12..]]),
                ),
                of(&lines[4].to_owned(), json!({"a": middle})),
            ]
            .into_iter()
            .flatten()
            .collect(),
        ),
        (
            "tables",
            leaving(
                secret,
                [
                    json!({"columns": ["user", "password"], "rows": [["me", secret]]}),
                    json!(format!("| user | password |\n|---|---|\n| me | {secret} |")),
                    json!(format!("user,password\nme,{secret}\n")),
                ],
            ),
        ),
        (
            "attribute pairs of XML",
            leaving(
                secret,
                [json!(format!("<add key=\"password\" value=\"{secret}\"/>"))],
            ),
        ),
        (
            "YAML with the value on the next line",
            leaving(
                secret,
                [
                    json!(format!("password:\n  {secret}\n")),
                    json!(format!("password: >-\n  {secret}\n")),
                ],
            ),
        ),
        (
            "unquoted values with spaces",
            leaving(secret, [json!(format!("password=one {secret}"))]),
        ),
        (
            "field names in no list",
            leaving(
                secret,
                [
                    json!({"pw": secret}),
                    json!({"key": secret}),
                    json!({"session": secret}),
                    json!({"sid": secret}),
                    json!({"auth": secret}),
                    json!({"code": secret}),
                    json!({"tokens": [secret]}),
                ],
            ),
        ),
        (
            "names spelled to deceive",
            leaving(
                secret,
                [
                    json!({"passw\u{43e}rd": secret}),
                    json!(format!("pass&#119;ord={secret}")),
                ],
            ),
        ),
        (
            "shapes too weak to tell from data, left out on purpose",
            [&twilio, &uuid, &short]
                .into_iter()
                .flat_map(|shape| of(shape, json!({"a": shape})))
                .collect(),
        ),
        (
            "UTF-16 or compressed data, encodings nested more than three levels deep",
            [of(&utf16, json!({"a": utf16})), of(&deep, json!(deep))]
                .into_iter()
                .flatten()
                .collect(),
        ),
        (
            "a value under a sensitive name in a JSON Schema that comes as text",
            leaving(
                secret,
                [json!(format!(
                    "the schema: {{\"password\": {{\"type\": \"string\", \"default\": \"{secret}\"}}}}"
                ))],
            ),
        ),
        (
            "words of a JSON Schema that are no secret's own",
            leaving(
                secret,
                [
                    json!({"properties": {"password": {"$ref": format!("#/{secret}")}}}),
                    json!({"properties": {"user": {"type": "string", "default": secret}}}),
                    json!({"properties": {"password": {"type": "object", "properties": {secret.as_str(): {"type": "string"}}}}}),
                ],
            ),
        ),
        (
            "numbers under names of tokens and secrets, and booleans under any name",
            [
                of(&number.to_string(), json!({"token": number})),
                of(&number.to_string(), json!({"secret": number})),
                of(&number.to_string(), json!({"pwd": number})),
                of(&number.to_string(), json!({"pass": number})),
                of(&"true".to_owned(), json!({"password": true})),
            ]
            .into_iter()
            .flatten()
            .collect(),
        ),
        (
            "a name that looks like a mark",
            leaving(
                secret,
                [
                    json!({"password[DUPLICATE:2]": secret}),
                    json!({"[TRUNCATED:9] password": secret}),
                ],
            ),
        ),
    ]
}

/// The first column of the table of what gets through.
fn rows() -> Vec<String> {
    let text = include_str!("../../../SECURITY.md");
    let (_, table) = text.split_once("Known to get through").expect("the table");
    let rows = table
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2);
    rows.map(|row| row.split('|').nth(1).expect("a column").trim().to_owned())
        .collect()
}

#[test]
fn every_gap_that_is_told_is_tried() {
    let names: Vec<&str> = gaps().iter().map(|(name, _)| *name).collect();
    assert_eq!(names, rows());
}

#[test]
fn what_is_said_to_get_through_does() {
    for (name, cases) in gaps() {
        assert!(!cases.is_empty(), "{name}");
        for Case { input, left } in cases {
            let payload = keep(input.to_string());
            let text = text_of(&payload).replace("\\n", "\n").replace("\\\"", "\"");
            assert!(
                text.contains(&left),
                "{name}: {left} is gone from {input}: {text}"
            );
        }
    }
}

#[test]
fn text_that_poses_as_a_mark_is_in_lower_case_and_all_there() {
    let text = "[REDACTED:some words in it] and [TRUNCATED: more]";
    let payload = keep(json!(text).to_string());
    assert_eq!(
        text_of(&payload),
        json!("[redacted:some words in it] and [truncated: more]").to_string()
    );
    assert_eq!(
        PayloadPolicy::default().scrub_text("[WITHHELD]", &[]),
        "[withheld]"
    );
}
