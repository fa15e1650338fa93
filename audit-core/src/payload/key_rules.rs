//! Which keys announce a secret.
//!
//! Whole names first, then the head noun (the last word), then pairs of words; never a substring.
//! `max_tokens`, `progressToken`, `author` and `secret_name` stay what they are.

use super::endings::EndingSet;
use super::keys::KeyWords;
use super::word_set::WordSet;

/// What a key says about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Secret<'p> {
    /// The rule's name, as it stands in the mark.
    pub(super) rule: &'p str,
    pub(super) reach: Reach,
}

/// Which values of such a key are secrets. Booleans, nulls and empty strings never are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Anything, numbers too.
    Any,
    /// Text that is no path: `PWD=/home/me` is a place.
    NotPath,
    /// Text and containers: `token: 12` is a count.
    Text,
    /// Whatever is no format that JSON Schema knows.
    SchemaFormat,
    /// Whatever does not refer to a part of the same schema.
    SchemaReference,
    /// Whatever is no type that JSON Schema knows.
    SchemaType,
}

/// How all keys end that the built-in rules are about.
pub(super) static ENDINGS: EndingSet = EndingSet::new(&WHOLE_NAMES)
    .and(NOUN_LIST)
    .and(&[PASSWORD, PASSWD, API_KEY]);

/// The built-in rule for a key.
pub(super) fn built_in(key: &KeyWords) -> Option<Secret<'static>> {
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
        let is_position = rule == "token" && before.is_some_and(|word| POSITIONS.has(word));
        let is_cors = joined == b"accesscontrolallowcredentials";
        if is_question || is_position || is_cors {
            return None;
        }
        return secret(rule, reach);
    }
    let mut all = key.words().peekable();
    while let (Some(word), Some(next)) = (all.next(), all.peek()) {
        let rule = match *next {
            b"key" if KEY_OWNERS.has(word) => "api_key",
            b"secret" if matches!(word, b"client" | b"app" | b"shared") => "secret",
            _ => continue,
        };
        if ABOUT.has(last) {
            return None;
        }
        return secret(rule, Reach::Text);
    }
    None
}

fn head_noun(word: &[u8]) -> Option<(&'static str, Reach)> {
    if !NOUNS.has(word) {
        return written_together(word);
    }
    Some(match word {
        b"password" | b"passwords" | b"passwd" | b"passphrase" => ("password", Reach::Any),
        b"pwd" | b"pass" => ("password", Reach::NotPath),
        b"secret" | b"secrets" => ("secret", Reach::Text),
        b"token" => ("token", Reach::Text),
        b"apikey" | b"apikeys" => ("api_key", Reach::Text),
        b"credential" | b"credentials" | b"creds" => ("credential", Reach::Text),
        b"privatekey" => ("private_key", Reach::Text),
        b"cookie" | b"cookies" => ("cookie", Reach::Text),
        b"authorization" => ("authorization", Reach::Text),
        _ => return None,
    })
}

/// A noun and its owner in one word: `dbpassword`. No other word ends like this.
fn written_together(word: &[u8]) -> Option<(&'static str, Reach)> {
    if word.ends_with(PASSWORD.as_bytes()) || word.ends_with(PASSWD.as_bytes()) {
        return Some(("password", Reach::Any));
    }
    word.ends_with(API_KEY.as_bytes())
        .then_some(("api_key", Reach::Text))
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
const WHOLE: &[(&str, &str)] = &[
    ("accesskey", "api_key"),
    ("accesstoken", "token"),
    ("accesstokens", "token"),
    ("accountkey", "api_key"),
    ("amzsecuritytoken", "token"),
    ("apikey", "api_key"),
    ("apisecret", "secret"),
    ("apitoken", "token"),
    ("appsecret", "secret"),
    ("assertion", "assertion"),
    ("authkey", "api_key"),
    ("authorization", "authorization"),
    ("authtoken", "token"),
    ("awssecretaccesskey", "secret"),
    ("awssessiontoken", "token"),
    ("bearer", "token"),
    ("bearertoken", "token"),
    ("clientassertion", "assertion"),
    ("clientsecret", "secret"),
    ("connectionstring", "dsn"),
    ("consumersecret", "secret"),
    ("contrasena", "password"),
    ("cookie", "cookie"),
    ("credential", "credential"),
    ("credentials", "credential"),
    ("creds", "credential"),
    ("csrftoken", "token"),
    ("cvc", "cvv"),
    ("cvv", "cvv"),
    ("databaseurl", "dsn"),
    ("dbpassword", "password"),
    ("deploytoken", "token"),
    ("dsn", "dsn"),
    ("encryptionkey", "private_key"),
    ("idtoken", "token"),
    ("jobtoken", "token"),
    ("jwk", "jwt"),
    ("jwt", "jwt"),
    ("masterkey", "private_key"),
    ("mcpsessionid", "session"),
    ("mfacode", "otp"),
    ("mnemonic", "seed_phrase"),
    ("motdepasse", "password"),
    ("mysqlpwd", "password"),
    ("otp", "otp"),
    ("passcode", "password"),
    ("passphrase", "password"),
    ("passwd", "password"),
    ("password", "password"),
    ("passwort", "password"),
    ("pgpassword", "password"),
    ("pin", "otp"),
    ("pincode", "otp"),
    ("privatekey", "private_key"),
    ("privatetoken", "token"),
    ("proxyauthorization", "authorization"),
    ("recoverycode", "otp"),
    ("refreshtoken", "token"),
    ("refreshtokens", "token"),
    ("saspolicykey", "api_key"),
    ("sastoken", "token"),
    ("secretaccesskey", "secret"),
    ("secretkey", "secret"),
    ("seedphrase", "seed_phrase"),
    ("servicekey", "api_key"),
    ("sessiontoken", "token"),
    ("setcookie", "cookie"),
    ("sharedsecret", "secret"),
    ("signingkey", "private_key"),
    ("signingsecret", "secret"),
    ("sshkey", "private_key"),
    ("totp", "otp"),
    ("twofactor", "otp"),
    ("vaulttoken", "token"),
    ("webhooksecret", "secret"),
    ("xamzsecuritytoken", "token"),
    ("xapikey", "api_key"),
    ("xauthtoken", "token"),
    ("xsrftoken", "token"),
    ("xvaulttoken", "token"),
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
                for before in ["", "my_", "HTTP-", "x", "items[0].", "a1", "é"] {
                    for after in ["", "12", "_2", "_id", "s", "Name", "[]", "\u{ad}"] {
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
        ] {
            let ending = Ending::of(name.as_bytes()).expect("plain letters");
            assert!(!ENDINGS.may_have(ending), "{name}");
        }
    }
}
