//! P5 for each entry of the lists that the rules were made from: every literal beginning, every
//! name, every scheme. They are written out here once more, so that none can fall out of the engine
//! unseen.

use audit_core::payload::{Payload, PayloadContext, PayloadPolicy, credential_shape};
use serde_json::json;

use crate::secrets::placements;
use crate::support::{
    ALPHANUMERIC, BASE32, HEX, Random, assert_absent, base64, keep, password, value,
};

/// Rule, literal beginnings, alphabet of the body, its shortest length.
type Prefixes = (&'static str, &'static [&'static str], &'static [u8], usize);

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const PREFIXES: &[Prefixes] = &[
    (
        "github_token",
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        ALPHANUMERIC,
        36,
    ),
    ("github_token", &["github_pat_"], ALPHANUMERIC, 22),
    (
        "gitlab_token",
        &[
            "glpat-",
            "gldt-",
            "glrt-",
            "glptt-",
            "glft-",
            "gloas-",
            "glcbt-",
            "glsoat-",
            "glagent-",
            "glimt-",
            "GR1348941",
        ],
        ALPHANUMERIC,
        20,
    ),
    ("aws_key", &["AKIA", "ASIA", "ABIA", "ACCA"], BASE32, 16),
    ("aws_key", &["ABSK"], ALPHANUMERIC, 109),
    ("google_key", &["AIza"], ALPHANUMERIC, 35),
    ("google_key", &["ya29.", "GOCSPX-"], ALPHANUMERIC, 20),
    ("anthropic_key", &["sk-ant-"], ALPHANUMERIC, 20),
    (
        "openai_key",
        &["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-or-v1-"],
        ALPHANUMERIC,
        20,
    ),
    ("openai_key", &["sk-"], ALPHANUMERIC, 48),
    (
        "slack_token",
        &[
            "xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-", "xoxe.", "xapp-",
        ],
        ALPHANUMERIC,
        20,
    ),
    (
        "slack_webhook",
        &["hooks.slack.com/services/"],
        ALPHANUMERIC,
        20,
    ),
    (
        "stripe_key",
        &["sk_live_", "rk_live_", "sk_test_", "rk_test_", "whsec_"],
        ALPHANUMERIC,
        16,
    ),
    ("npm_token", &["npm_"], ALPHANUMERIC, 36),
    ("pypi_token", &["pypi-AgEI"], ALPHANUMERIC, 50),
    ("huggingface_token", &["hf_"], LETTERS, 34),
    (
        "digitalocean_token",
        &["dop_v1_", "doo_v1_", "dor_v1_"],
        HEX,
        64,
    ),
    (
        "grafana_token",
        &["glsa_", "glc_", "eyJrIjoi"],
        ALPHANUMERIC,
        32,
    ),
    ("vault_token", &["hvs.", "hvb."], ALPHANUMERIC, 24),
    ("databricks_token", &["dapi"], HEX, 32),
    (
        "shopify_token",
        &["shpat_", "shpca_", "shppa_", "shpss_"],
        HEX,
        32,
    ),
    ("square_token", &["sq0atp-", "sq0csp-"], ALPHANUMERIC, 22),
    ("linear_key", &["lin_api_"], ALPHANUMERIC, 40),
    ("notion_token", &["ntn_"], ALPHANUMERIC, 40),
    ("postman_key", &["PMAK-"], HEX, 59),
    ("pulumi_token", &["pul-"], HEX, 40),
    ("perplexity_key", &["pplx-"], ALPHANUMERIC, 40),
    ("readme_key", &["rdme_"], ALPHANUMERIC, 70),
    ("sentry_token", &["sntrys_", "sntryu_"], ALPHANUMERIC, 40),
    ("age_key", &["AGE-SECRET-KEY-1"], BASE32, 58),
    ("alibaba_key", &["LTAI"], ALPHANUMERIC, 20),
    ("tailscale_key", &["tskey-"], ALPHANUMERIC, 20),
    ("vercel_token", &["vercel_"], ALPHANUMERIC, 24),
    ("posthog_key", &["phx_"], ALPHANUMERIC, 40),
];

/// The shortest token of each beginning, and one that is longer than today's.
fn tokens_of_each_prefix(seed: u64) -> Vec<(&'static str, String)> {
    let mut random = Random::new(seed);
    let mut tokens = Vec::new();
    for (rule, prefixes, alphabet, shortest) in PREFIXES {
        for prefix in *prefixes {
            for n in [*shortest, shortest + 1 + random.below(40)] {
                tokens.push((*rule, format!("{prefix}{}", random.word(alphabet, n))));
            }
        }
    }
    let mut word = |n| random.word(ALPHANUMERIC, n);
    tokens.push(("sendgrid_key", format!("SG.{}.{}", word(22), word(43))));
    tokens.push(("openai_key", format!("sk-{}T3BlbkFJ{}", word(20), word(20))));
    tokens.push((
        "jwt",
        format!("eyJ{}.eyJ{}.{}", word(17), word(30), word(43)),
    ));
    // An encrypted one: its second part is a key.
    let parts = [word(40), word(16), word(60), word(22)].join(".");
    tokens.push(("jwt", format!("eyJ{}.{parts}", word(17))));
    tokens
}

#[test]
fn p5_every_prefix_of_the_list() {
    let policy = PayloadPolicy::default();
    let context = PayloadContext::response(&policy);
    let tokens = tokens_of_each_prefix(31);
    assert!(tokens.len() > 150, "{}", tokens.len());
    for (rule, secret) in tokens {
        assert_eq!(credential_shape(&secret), Some(rule), "{secret}");
        for (place, input) in placements(&secret) {
            let payload = keep(&input);
            assert_absent(&secret, &payload, &format!("{rule}, {place}, {input}"));
            assert_ne!(payload.report().n_redactions(), 0, "{rule}, {place}");
        }
        let header = Payload::from_headers([("X-Any", &secret)], &context);
        assert_absent(&secret, &header, "header");
        let text = Payload::from_text(&format!("see {secret}."), &context);
        assert_absent(&secret, &text, "text");
        assert_eq!(text.report().redactions.get(rule), Some(&1), "{secret}");
    }
}

/// Tier 1, in words: whole names, whatever the type of their value.
pub(crate) const NAMES: &[&str] = &[
    "authorization",
    "proxy authorization",
    "cookie",
    "set cookie",
    "api key",
    "x api key",
    "api token",
    "access token",
    "refresh token",
    "id token",
    "auth token",
    "bearer token",
    "session token",
    "csrf token",
    "xsrf token",
    "client secret",
    "app secret",
    "api secret",
    "consumer secret",
    "shared secret",
    "webhook secret",
    "signing secret",
    "secret key",
    "secret access key",
    "aws secret access key",
    "private key",
    "ssh key",
    "signing key",
    "encryption key",
    "master key",
    "access key",
    "auth key",
    "service key",
    "account key",
    "db password",
    "mysql pwd",
    "passwd",
    "passwort",
    "contrasena",
    "mot de passe",
    "passphrase",
    "passcode",
    "credential",
    "credentials",
    "creds",
    "client assertion",
    "assertion",
    "jwt",
    "jwk",
    "dsn",
    "connection string",
    "database url",
    "sas policy key",
    "sas token",
    "otp",
    "totp",
    "mfa code",
    "two factor",
    "recovery code",
    "pin code",
    "cvv",
    "cvc",
    "mnemonic",
    "seed phrase",
    "vault token",
    "x vault token",
    "x auth token",
    "x amz security token",
    "private token",
    "deploy token",
    "job token",
    "mcp session id",
    // Beside that list, and as certain.
    "password",
    "pin",
    "bearer",
    "aws session token",
];

/// Tier 2: what a name may end in.
const NOUNS: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "pass",
    "passphrase",
    "secret",
    "token",
    "api key",
    "apikey",
    "credential",
    "credentials",
    "creds",
    "private key",
    "cookie",
    "authorization",
];

/// Tier 3: pairs that say it wherever they stand.
const PAIRS: &[&str] = &[
    "api key",
    "auth key",
    "access key",
    "secret key",
    "private key",
    "signing key",
    "encryption key",
    "master key",
    "client key",
    "client secret",
    "app secret",
    "shared secret",
];

/// A name in all the ways in which programs write it.
pub(crate) fn ways_to_write(name: &str) -> Vec<String> {
    let words: Vec<&str> = name.split(' ').collect();
    let capital = |word: &&str| word[..1].to_uppercase() + &word[1..];
    let capitals: Vec<String> = words.iter().map(capital).collect();
    vec![
        words.concat(),
        words.join("_"),
        words.join("-"),
        words.join("_").to_uppercase(),
        words[0].to_owned() + &capitals[1..].concat(),
        capitals.concat(),
        capitals.join("-"),
        format!("{}2", words.join("_")),
        format!("{}[]", words.join("_")),
        format!("X-{}", capitals.join("-")),
    ]
}

/// What a value under `name` must leave nothing of.
fn assert_named(name: &str, secret: &str) {
    let mut inputs = vec![
        json!({name: secret}).to_string(),
        json!({name: [1, {"any": secret}]}).to_string(),
        json!({name: {"any": [secret]}}).to_string(),
        json!([{"a": {name: secret}}]).to_string(),
        json!({"name": name, "value": secret}).to_string(),
        format!("{{\"value\":{},\"key\":{}}}", json!(secret), json!(name)),
        json!([[name, secret]]).to_string(),
        json!({"rawHeaders": ["Host", "x", name, secret]}).to_string(),
        json!({"a": json!({name: secret}).to_string()}).to_string(),
        json!({"a": format!("https://host/p?x=1&{name}={secret}&y=2")}).to_string(),
        json!({"a": format!("some words\n{name}: {secret}\nport: 1")}).to_string(),
        json!({"a": format!("export {name}={secret}")}).to_string(),
        json!({"a": format!("call({name}='{secret}')")}).to_string(),
        json!({"a": base64(json!({name: secret}).to_string())}).to_string(),
    ];
    if !name.contains('[') {
        inputs.push(json!({"a": format!("<{name}>{secret}</{name}>")}).to_string());
    }
    for input in inputs {
        let payload = keep(&input);
        assert_absent(secret, &payload, &format!("{name}, {input}"));
        assert_ne!(payload.report().n_redactions(), 0, "{input}");
    }
    let policy = PayloadPolicy::default();
    let context = PayloadContext::request(&policy);
    let headers = Payload::from_headers([("Host", "x"), (name, secret)], &context);
    assert_absent(secret, &headers, name);
}

#[test]
fn p5_every_name_of_the_list() {
    let secret = password(32);
    for name in NAMES {
        for name in ways_to_write(name) {
            assert_named(&name, &secret);
        }
    }
    // Written together, only some end in a noun.
    for noun in NOUNS {
        for name in ways_to_write(&format!("my {noun}")).iter().skip(1) {
            assert_named(name, &secret);
        }
    }
    for pair in PAIRS {
        for name in ways_to_write(&format!("my {pair} prod")).iter().skip(1) {
            assert_named(name, &secret);
        }
    }
}

/// What stands behind each scheme, with `secret` in it.
fn schemes(secret: &str) -> Vec<(&'static str, String)> {
    let pair = base64(format!("me:{secret}"));
    let digest = format!(
        "username=\"me\", realm=\"r\", nonce=\"{secret}\", uri=\"/\", response=\"{secret}\""
    );
    let signed = format!(
        "Credential={secret}/20260101/x/s3/aws4_request, SignedHeaders=host, Signature={secret}"
    );
    vec![
        ("Bearer", secret.to_owned()),
        ("bearer", secret.to_owned()),
        ("Basic", pair.clone()),
        ("basic", pair),
        ("Digest", digest),
        ("AWS4-HMAC-SHA256", signed),
        ("ApiKey", secret.to_owned()),
        ("Negotiate", base64(secret)),
        ("NTLM", base64(secret)),
        ("Token", secret.to_owned()),
        ("token", secret.to_owned()),
    ]
}

#[test]
fn p5_every_scheme() {
    let policy = PayloadPolicy::default();
    let context = PayloadContext::request(&policy);
    for seed in 33..37 {
        let secret = password(seed);
        for (scheme, credential) in schemes(&secret) {
            let value = format!("{scheme} {credential}");
            let mut payloads: Vec<(&str, Payload)> = [
                ("value", json!({"a": value})),
                ("root", json!(value)),
                ("element", json!([1, [value]])),
                (
                    "header object",
                    json!({"headers": {"Authorization": value}}),
                ),
                (
                    "other header",
                    json!({"headers": {"X-Forwarded-Auth": value}}),
                ),
                ("pair", json!(["Proxy-Authorization", value])),
                (
                    "raw headers",
                    json!({"rawHeaders": ["Authorization", value]}),
                ),
                ("nested", json!({"a": json!({"q": value}).to_string()})),
                (
                    "request",
                    json!({"a": format!("GET /\nAuthorization: {value}\nAccept: */*")}),
                ),
                (
                    "curl",
                    json!({"a": format!("curl -H 'Authorization: {value}' https://host")}),
                ),
            ]
            .map(|(place, input)| (place, keep(input.to_string())))
            .into();
            let headers = [("Authorization", &value), ("X-Forwarded-Auth", &value)];
            payloads.push(("headers", Payload::from_headers(headers, &context)));
            payloads.push(("text", Payload::from_text(&value, &context)));
            for (place, payload) in payloads {
                let about = format!("{scheme}, {place}");
                assert_absent(&secret, &payload, &about);
                assert_absent(&base64(&secret)[..30], &payload, &about);
                assert_absent(&base64(format!("me:{secret}")), &payload, &about);
                assert_ne!(payload.report().n_redactions(), 0, "{about}");
            }
        }
    }
}

#[test]
fn p12_words_behind_a_scheme_stay_visible() {
    for text in [
        "Token expired",
        "token of appreciation",
        "Token refreshed successfully",
        "Token 12",
        "Token authentication-required-for-this-page",
        "Bearer authentication",
        "Negotiate a price",
        "Basic understanding",
    ] {
        let input = json!({"a": text}).to_string();
        assert_eq!(crate::support::json(&keep(&input)), input);
    }
}

#[test]
fn p5_numbers_under_passwords_and_codes_go() {
    let mut random = Random::new(38);
    let more = [
        "user password",
        "new passwd",
        "old passphrase",
        "my dbpassword",
    ];
    for (i, name) in NAMES.iter().chain(&more).enumerate() {
        // Written together, only the names of the list itself are known.
        for name in ways_to_write(name)
            .iter()
            .skip(usize::from(i >= NAMES.len()))
        {
            let digits = format!("7{}", random.word(b"123456789", 9));
            for input in [
                format!("{{\"{name}\":{digits}}}"),
                format!("{{\"{name}\":-{digits}.5}}"),
                format!("{{\"name\":\"{name}\",\"value\":{digits}}}"),
                format!("{{\"value\":{digits},\"name\":\"{name}\"}}"),
                format!("[\"{name}\",{digits}]"),
                format!("{{\"{name}\":[{digits}]}}"),
                json!({"a": format!("{{\"{name}\":{digits}}}")}).to_string(),
                json!({"a": format!("https://host/?{name}={digits}")}).to_string(),
            ] {
                let payload = keep(&input);
                assert_absent(&digits, &payload, &input);
                assert_ne!(payload.report().n_redactions(), 0, "{input}");
            }
        }
    }
    // A short code is a number too.
    for name in [
        "otp",
        "pin",
        "cvv",
        "cvc",
        "totp",
        "mfa_code",
        "db_password",
        "password",
    ] {
        let kept = value(&keep(format!("{{\"{name}\":4821}}")));
        let text = kept[name].as_str().expect("a mark");
        assert!(text.starts_with("[REDACTED:"), "{name}");
    }
    // Counts and lifetimes stay.
    for input in [
        r#"{"token":12,"secret":7,"pass":3,"tokens":900}"#,
        r#"{"pin":true,"otp":null}"#,
    ] {
        assert_eq!(crate::support::json(&keep(input)), input);
    }
}
