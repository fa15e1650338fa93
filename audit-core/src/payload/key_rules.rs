//! Which keys announce a secret.
//!
//! Whole names first, then the head noun (the last word), then pairs of words; never a substring.
//! `max_tokens`, `progressToken`, `author` and `secret_name` stay what they are.

use super::endings::EndingSet;
use super::keys::KeyWords;
use super::secret::{KeyRule, Reach, Secret};
use super::word_set::WordSet;

/// How all keys end that the built-in rules are about.
pub(super) static ENDINGS: EndingSet = EndingSet::new(&WHOLE_NAMES)
    .and(NOUN_LIST)
    .and(&[PASSWORD, PASSWD, API_KEY]);

/// The built-in rule for a key.
pub(super) fn built_in(key: &KeyWords) -> Option<Secret> {
    let secret = |rule, reach| Some(Secret { rule, reach });
    let joined = key.joined();
    let mut words = key.words();
    let last = words.next_back()?;
    if let Some(i) = WHOLE_SET.position(joined) {
        return secret(WHOLE[i].1, Reach::Any);
    }
    if let Some((rule, reach)) = head_noun(last) {
        let before = words.clone().next_back();
        let is_question = words.next().is_some_and(|word| QUESTIONS.has(word));
        let is_position = rule == KeyRule::Token && before.is_some_and(|word| POSITIONS.has(word));
        let is_cors = joined == b"accesscontrolallowcredentials";
        if is_question || is_position || is_cors {
            return None;
        }
        return secret(rule, reach);
    }
    let mut all = key.words().peekable();
    while let (Some(word), Some(next)) = (all.next(), all.peek()) {
        let rule = match *next {
            b"key" if KEY_OWNERS.has(word) => KeyRule::ApiKey,
            b"secret" if matches!(word, b"client" | b"app" | b"shared") => KeyRule::Secret,
            _ => continue,
        };
        if ABOUT.has(last) {
            return None;
        }
        return secret(rule, Reach::Text);
    }
    None
}

fn head_noun(word: &[u8]) -> Option<(KeyRule, Reach)> {
    if !NOUNS.has(word) {
        return written_together(word);
    }
    Some(match word {
        b"password" | b"passwords" | b"passwd" | b"passphrase" => (KeyRule::Password, Reach::Any),
        b"pwd" | b"pass" => (KeyRule::Password, Reach::NotPath),
        b"secret" | b"secrets" => (KeyRule::Secret, Reach::Text),
        b"token" => (KeyRule::Token, Reach::Text),
        b"apikey" | b"apikeys" => (KeyRule::ApiKey, Reach::Text),
        b"credential" | b"credentials" | b"creds" => (KeyRule::Credential, Reach::Text),
        b"privatekey" => (KeyRule::PrivateKey, Reach::Text),
        b"cookie" | b"cookies" => (KeyRule::Cookie, Reach::Text),
        b"authorization" => (KeyRule::Authorization, Reach::Text),
        _ => return None,
    })
}

/// A noun and its owner in one word: `dbpassword`. No other word ends like this.
fn written_together(word: &[u8]) -> Option<(KeyRule, Reach)> {
    if word.ends_with(PASSWORD.as_bytes()) || word.ends_with(PASSWD.as_bytes()) {
        return Some((KeyRule::Password, Reach::Any));
    }
    word.ends_with(API_KEY.as_bytes())
        .then_some((KeyRule::ApiKey, Reach::Text))
}

const PASSWORD: &str = "password";
const PASSWD: &str = "passwd";
const API_KEY: &str = "apikey";

/// `access_key`, `signing_key`: the words that make a key one that opens something.
static KEY_OWNERS: WordSet = WordSet::new(&[
    "api",
    "auth",
    "access",
    "secret",
    "private",
    "signing",
    "encryption",
    "master",
    "client",
]);

/// `has_password`, `use_token`: a question, not its answer.
static QUESTIONS: WordSet = WordSet::new(&[
    "allow", "allows", "enable", "has", "have", "hide", "is", "need", "needs", "no", "require",
    "requires", "show", "use", "uses", "with",
]);

/// `nextPageToken`, `progressToken`: a place in a list or a name for a call; `eos_token`: a word
/// of a language model.
static POSITIONS: WordSet = WordSet::new(&[
    "bos",
    "cancel",
    "cancellation",
    "cls",
    "continuation",
    "continue",
    "cursor",
    "eos",
    "mask",
    "next",
    "pad",
    "page",
    "pagination",
    "per",
    "prev",
    "previous",
    "progress",
    "public",
    "resume",
    "sep",
    "special",
    "stop",
    "sync",
    "unk",
]);

/// `api_key_id`, `private_key_path`: something about a key.
static ABOUT: WordSet = WordSet::new(&[
    "algorithm",
    "alias",
    "arn",
    "at",
    "count",
    "created",
    "enabled",
    "endpoint",
    "env",
    "exists",
    "expires",
    "expiry",
    "field",
    "file",
    "fingerprint",
    "format",
    "header",
    "hint",
    "id",
    "ids",
    "length",
    "limit",
    "limits",
    "location",
    "name",
    "names",
    "path",
    "policy",
    "prefix",
    "present",
    "provider",
    "ref",
    "required",
    "rotation",
    "size",
    "status",
    "ttl",
    "type",
    "types",
    "updated",
    "uri",
    "url",
    "usage",
    "valid",
    "version",
]);

/// Whole names with their rules.
const WHOLE: &[(&str, KeyRule)] = &[
    ("accesskey", KeyRule::ApiKey),
    ("accesstoken", KeyRule::Token),
    ("accesstokens", KeyRule::Token),
    ("accountkey", KeyRule::ApiKey),
    ("amzsecuritytoken", KeyRule::Token),
    ("apikey", KeyRule::ApiKey),
    ("apisecret", KeyRule::Secret),
    ("apitoken", KeyRule::Token),
    ("appsecret", KeyRule::Secret),
    ("assertion", KeyRule::Assertion),
    ("authkey", KeyRule::ApiKey),
    ("authorization", KeyRule::Authorization),
    ("authtoken", KeyRule::Token),
    ("awssecretaccesskey", KeyRule::Secret),
    ("awssessiontoken", KeyRule::Token),
    ("bearer", KeyRule::Token),
    ("bearertoken", KeyRule::Token),
    ("clientassertion", KeyRule::Assertion),
    ("clientsecret", KeyRule::Secret),
    ("connectionstring", KeyRule::Dsn),
    ("consumersecret", KeyRule::Secret),
    ("contrasena", KeyRule::Password),
    ("cookie", KeyRule::Cookie),
    ("credential", KeyRule::Credential),
    ("credentials", KeyRule::Credential),
    ("creds", KeyRule::Credential),
    ("csrftoken", KeyRule::Token),
    ("cvc", KeyRule::Cvv),
    ("cvv", KeyRule::Cvv),
    ("databaseurl", KeyRule::Dsn),
    ("dbpassword", KeyRule::Password),
    ("deploytoken", KeyRule::Token),
    ("dsn", KeyRule::Dsn),
    ("encryptionkey", KeyRule::PrivateKey),
    ("idtoken", KeyRule::Token),
    ("jobtoken", KeyRule::Token),
    ("jwk", KeyRule::Jwt),
    ("jwt", KeyRule::Jwt),
    ("masterkey", KeyRule::PrivateKey),
    ("mcpsessionid", KeyRule::Session),
    ("mfacode", KeyRule::Otp),
    ("mnemonic", KeyRule::SeedPhrase),
    ("motdepasse", KeyRule::Password),
    ("mysqlpwd", KeyRule::Password),
    ("otp", KeyRule::Otp),
    ("passcode", KeyRule::Password),
    ("passphrase", KeyRule::Password),
    ("passwd", KeyRule::Password),
    ("password", KeyRule::Password),
    ("passwort", KeyRule::Password),
    ("pgpassword", KeyRule::Password),
    ("pin", KeyRule::Otp),
    ("pincode", KeyRule::Otp),
    ("privatekey", KeyRule::PrivateKey),
    ("privatetoken", KeyRule::Token),
    ("proxyauthorization", KeyRule::Authorization),
    ("recoverycode", KeyRule::Otp),
    ("refreshtoken", KeyRule::Token),
    ("refreshtokens", KeyRule::Token),
    ("saspolicykey", KeyRule::ApiKey),
    ("sastoken", KeyRule::Token),
    ("secretaccesskey", KeyRule::Secret),
    ("secretkey", KeyRule::Secret),
    ("seedphrase", KeyRule::SeedPhrase),
    ("servicekey", KeyRule::ApiKey),
    ("sessiontoken", KeyRule::Token),
    ("setcookie", KeyRule::Cookie),
    ("sharedsecret", KeyRule::Secret),
    ("signingkey", KeyRule::PrivateKey),
    ("signingsecret", KeyRule::Secret),
    ("sshkey", KeyRule::PrivateKey),
    ("totp", KeyRule::Otp),
    ("twofactor", KeyRule::Otp),
    ("vaulttoken", KeyRule::Token),
    ("webhooksecret", KeyRule::Secret),
    ("xamzsecuritytoken", KeyRule::Token),
    ("xapikey", KeyRule::ApiKey),
    ("xauthtoken", KeyRule::Token),
    ("xsrftoken", KeyRule::Token),
    ("xvaulttoken", KeyRule::Token),
];

static WHOLE_SET: WordSet = WordSet::new(&WHOLE_NAMES);

const WHOLE_NAMES: [&str; WHOLE.len()] = {
    let mut names = [""; WHOLE.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = WHOLE[i].0;
        i += 1;
    }
    names
};

static NOUNS: WordSet = WordSet::new(NOUN_LIST);

/// The last words that [`head_noun`] knows.
const NOUN_LIST: &[&str] = &[
    "apikey",
    "apikeys",
    "authorization",
    "cookie",
    "cookies",
    "credential",
    "credentials",
    "creds",
    "pass",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "privatekey",
    "pwd",
    "secret",
    "secrets",
    "token",
];

#[cfg(test)]
mod tests {
    use super::super::endings::Ending;
    use super::*;

    /// Calls `check` for names that say each word in many ways.
    fn names(mut check: impl FnMut(&str)) {
        let lists = [&WHOLE_NAMES[..], NOUN_LIST, &[PASSWORD, PASSWD, API_KEY]];
        let owners = KEY_OWNERS.words().iter().chain(&["app", "shared"]);
        let pairs = owners.flat_map(|owner| [format!("{owner}_key"), format!("{owner}_secret")]);
        let words = lists.concat().into_iter().map(str::to_owned).chain(pairs);
        for word in words {
            let apart: String = word.chars().flat_map(|c| [c, '-']).collect();
            for word in [word.to_uppercase(), apart, word] {
                for before in ["", "my_", "HTTP-", "x", "items[0].", "a1", "é", "鍵"] {
                    for after in ["", "12", "_2", "_id", "s", "Name", "[]", "\u{ad}", "鍵"] {
                        check(&format!("{before}{word}{after}"));
                    }
                }
            }
        }
    }

    #[test]
    fn no_name_that_a_rule_is_about_is_passed_over_by_its_ending() {
        let mut words = KeyWords::default();
        let mut n_about = 0;
        names(|name| {
            if built_in(words.read(name)).is_some() {
                let may_be = |ending| ENDINGS.may_have(ending);
                assert!(Ending::of(name.as_bytes()).is_none_or(may_be), "{name}");
                n_about += 1;
            }
        });
        assert!(n_about > 1000, "{n_about}");
    }

    #[test]
    fn ordinary_names_are_passed_over_by_their_endings() {
        for name in [
            "id",
            "title",
            "body",
            "labels",
            "comments",
            "closed_at",
            "userName",
            "優先度",
        ] {
            let ending = Ending::of(name.as_bytes()).expect("plain letters");
            assert!(!ENDINGS.may_have(ending), "{name}");
        }
    }
}
