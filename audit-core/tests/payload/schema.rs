//! P5 under `properties`: a JSON Schema describes a secret, and must not be a place to hide one.

use audit_core::payload::{Payload, PayloadContext, PayloadPolicy};
use serde_json::json;

use crate::support::{assert_absent, json as text_of, keep, password, value};

#[test]
fn p5_a_properties_map_hides_its_secrets() {
    let secret = password(41);
    let schemas = [
        json!({"type": "x", "title": secret}),
        json!({"type": secret}),
        json!({"type": [secret]}),
        json!({"type": ["string", secret]}),
        json!({"type": {"any": secret}}),
        json!({"type": [["string"], {"any": secret}]}),
        json!({"type": "string", "title": secret}),
        json!({"type": "string", "description": format!("for now {secret}")}),
        json!({"type": "string", "default": secret}),
        json!({"type": "string", "const": secret}),
        json!({"type": "string", "enum": [secret]}),
        json!({"type": "string", "example": secret}),
        json!({"type": "string", "examples": [secret, {"any": secret}]}),
        json!({"type": "string", "format": secret}),
        json!({"type": "string", "pattern": secret}),
        json!({"type": "string", "minLength": secret}),
        json!({"type": "string", "required": [secret]}),
        json!({"type": "string", "nullable": secret}),
        json!({"type": "string", "x-any": secret}),
        json!({"$ref": secret}),
        json!({"$ref": format!("https://me:{secret}@host/schema")}),
        json!({"$ref": "#/definitions/token", "title": secret}),
        json!({"anyOf": [{"type": "string", "default": secret}, {"type": "null"}]}),
        json!({"anyOf": [secret]}),
        json!({"oneOf": [[secret]]}),
        json!({"allOf": {"any": secret}}),
        json!({"type": "array", "items": {"type": "string", "default": secret}}),
        json!({"type": "array", "items": secret}),
        json!({"type": "array", "items": [{"const": secret}]}),
        json!({"type": "object", "properties": {"user": {"type": "string", "title": secret}}}),
        json!({"type": "object", "properties": {"user": secret}}),
        json!({"type": "object", "properties": [secret]}),
        json!({"type": "object", "additionalProperties": {"const": secret}}),
        json!({"properties": {"user": {"properties": {"any": {"type": secret}}}}}),
        json!({"value": secret}),
        json!([secret]),
        json!(secret),
    ];
    let policy = PayloadPolicy::default();
    let context = PayloadContext::response(&policy);
    for name in [
        "password",
        "apiKey",
        "client_secret",
        "token",
        "credentials",
        "pin",
    ] {
        for schema in &schemas {
            for input in [
                json!({"properties": {name: schema}}),
                json!({"tools": [{"inputSchema": {"type": "object", "properties": {"a": {"type": "string"}, name: schema}}}]}),
                json!({"a": json!({"properties": {name: schema}}).to_string()}),
                json!({"properties": {"db": {"type": "object", "properties": {name: schema}}}}),
            ] {
                let about = format!("{name}: {schema}");
                for payload in [
                    keep(input.to_string()),
                    Payload::from_serialize(&input, &context),
                ] {
                    assert_absent(&secret, &payload, &about);
                    assert_ne!(payload.report().n_redactions(), 0, "{about}");
                }
            }
        }
    }
}

#[test]
fn p5_numbers_in_the_schema_of_a_password_go() {
    let kept = value(&keep(
        r#"{"properties":{"pin":{"type":"integer","minimum":1,"maximum":9999,"default":482193,"const":482193,"enum":[482193],"format":482193,"x":482193}}}"#,
    ));
    let pin = &kept["properties"]["pin"];
    assert_eq!(pin["maximum"], 9999);
    assert_eq!(pin["type"], "integer");
    assert!(!kept.to_string().contains("482193"), "{kept}");
    let kept = keep(r#"{"properties":{"pin":{"type":482193}}}"#);
    assert_eq!(text_of(&kept), r#"{"properties":{"pin":"[REDACTED:otp]"}}"#);
}

#[test]
fn p12_schemas_stay_readable() {
    for schema in [
        json!({"type": "string"}),
        json!({"type": ["string", "null"], "minLength": 8, "maxLength": 64}),
        json!({"type": "string", "format": "password", "writeOnly": true, "nullable": false}),
        json!({"$ref": "#/$defs/Token"}),
        json!({"anyOf": [{"type": "string"}, {"type": "null"}], "default": null}),
        json!({"type": "array", "items": {"type": "string"}, "minItems": 1}),
        json!({"type": "object", "properties": {"user": {"type": "string"}, "word": {"$ref": "#/a"}}, "additionalProperties": false}),
    ] {
        for name in ["password", "token", "credentials", "api_key"] {
            let input = json!({"type": "object", "required": [name], "properties": {name: schema}});
            assert_eq!(text_of(&keep(input.to_string())), input.to_string());
        }
    }
}

#[test]
fn a_schema_that_is_cut_before_it_shows_its_type_goes() {
    let secret = password(42);
    let input =
        json!({"properties": {"password": {"minLength": 8, "type": "string", "title": secret}}})
            .to_string();
    for end in 0..input.len() {
        assert_absent(&secret, &keep(&input[..end]), &format!("end {end}"));
    }
    let end = input.find("\"type\"").unwrap();
    assert!(!text_of(&keep(&input[..end])).contains("minLength"));
}

#[test]
fn a_path_takes_a_schema_away_as_anything_else() {
    let policy = PayloadPolicy::builder()
        .redact_path("properties.note")
        .redact_path("properties.password.type")
        .allow_path("properties.token")
        .build()
        .unwrap();
    let input = r#"{"properties":{"note":{"type":"string"},"password":{"anyOf":[],"type":"string"},"token":{"default":"x"}}}"#;
    let payload = Payload::from_json(input, &PayloadContext::request(&policy));
    assert_eq!(
        text_of(&payload),
        r#"{"properties":{"note":"[REDACTED:path]","password":{"anyOf":[],"type":"[REDACTED:path]"},"token":{"default":"x"}}}"#
    );
}
