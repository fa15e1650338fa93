//! Which keys announce a secret.
//!
//! Whole names first, then the head noun (the last word), then pairs of words; never a substring.
//! `max_tokens`, `progressToken`, `author` and `secret_name` stay what they are.

use super::keys::KeyWords;

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
}

/// The built-in rule for a key.
pub(super) fn built_in(key: &KeyWords) -> Option<Secret<'static>> {
    let secret = |rule, reach| Some(Secret { rule, reach });
    let joined = key.joined();
    let mut words = key.words();
    let last = words.next_back()?;
    if joined == b"accesscontrolallowcredentials" {
        return None;
    }
    if let Ok(i) = WHOLE.binary_search_by(|(name, _)| name.as_bytes().cmp(joined)) {
        return secret(WHOLE[i].1, Reach::Any);
    }
    if let Some((rule, reach)) = head_noun(last) {
        let before = words.clone().next_back();
        let first = words.next();
        let is_question = first.is_some_and(|word| contains(QUESTIONS, word));
        let is_position = rule == "token" && before.is_some_and(|word| contains(POSITIONS, word));
        if !is_question && !is_position {
            return secret(rule, reach);
        }
        return None;
    }
    if contains(ABOUT, last) {
        return None;
    }
    let mut all = key.words().peekable();
    while let (Some(word), Some(next)) = (all.next(), all.peek()) {
        let rule = match *next {
            b"key" if contains(KEY_OWNERS, word) => "api_key",
            b"secret" if matches!(word, b"client" | b"app" | b"shared") => "secret",
            _ => continue,
        };
        return secret(rule, Reach::Text);
    }
    None
}

fn head_noun(word: &[u8]) -> Option<(&'static str, Reach)> {
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
        // Written as one word with its owner: `dbpassword`. No other word ends like this.
        _ if word.ends_with(b"password") || word.ends_with(b"passwd") => ("password", Reach::Any),
        _ if word.ends_with(b"apikey") => ("api_key", Reach::Text),
        _ => return None,
    })
}

fn contains(list: &[&str], word: &[u8]) -> bool {
    list.iter().any(|entry| entry.as_bytes() == word)
}

/// `access_key`, `signing_key`: the words that make a key one that opens something.
const KEY_OWNERS: &[&str] = &[
    "api",
    "auth",
    "access",
    "secret",
    "private",
    "signing",
    "encryption",
    "master",
    "client",
];

/// `has_password`, `use_token`: a question, not its answer.
const QUESTIONS: &[&str] = &[
    "allow", "allows", "enable", "has", "have", "hide", "is", "need", "needs", "no", "require",
    "requires", "show", "use", "uses", "with",
];

/// `nextPageToken`, `progressToken`: a place in a list or a name for a call; `eos_token`: a word
/// of a language model.
const POSITIONS: &[&str] = &[
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
];

/// `api_key_id`, `private_key_path`: something about a key.
const ABOUT: &[&str] = &[
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
];

/// Whole names, sorted, with their rules.
const WHOLE: &[(&str, &str)] = &[
    ("accesskey", "api_key"),
    ("accesstoken", "token"),
    ("accesstokens", "token"),
    ("accountkey", "api_key"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_names_are_sorted() {
        assert!(WHOLE.is_sorted_by(|a, b| a.0 < b.0));
    }
}
