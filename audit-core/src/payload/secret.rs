//! What a name says about the value that it names.

/// A name announces a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Secret {
    pub(super) rule: KeyRule,
    pub(super) reach: Reach,
}

/// Which values of such a name are secrets. Booleans, nulls and empty strings never are.
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

/// A rule that goes by a value's name or place: a byte, because every node and key has room for
/// one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyRule {
    ApiKey,
    Assertion,
    Authorization,
    Cookie,
    Credential,
    Cvv,
    Dsn,
    Jwt,
    OperatorKey,
    Otp,
    /// Nobody can read a key that was not seen to its end.
    OversizedKey,
    Password,
    /// A path selector of the operator.
    Path,
    PrivateKey,
    Secret,
    SeedPhrase,
    Session,
    SignedUrl,
    Token,
    /// The name of the value was never seen.
    UnpairedValue,
}

impl KeyRule {
    /// The rule's name, as it stands in the mark.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::Assertion => "assertion",
            Self::Authorization => "authorization",
            Self::Cookie => "cookie",
            Self::Credential => "credential",
            Self::Cvv => "cvv",
            Self::Dsn => "dsn",
            Self::Jwt => "jwt",
            Self::OperatorKey => "operator_key",
            Self::Otp => "otp",
            Self::OversizedKey => "oversized_key",
            Self::Password => "password",
            Self::Path => "path",
            Self::PrivateKey => "private_key",
            Self::Secret => "secret",
            Self::SeedPhrase => "seed_phrase",
            Self::Session => "session",
            Self::SignedUrl => "signed_url",
            Self::Token => "token",
            Self::UnpairedValue => "unpaired_value",
        }
    }
}
