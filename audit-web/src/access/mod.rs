//! Who may ask what: tokens with scopes, kept as digests, and the sessions of browsers.

mod book;
mod caller;
mod digest;
mod file;
mod name;
mod private_file;
mod scope;
mod secret;
mod session;
mod session_file;
mod token;
mod tokens;
mod viewer;

pub use book::TokenBook;
pub use digest::Digest;
pub use file::TokenFile;
pub use name::{InvalidTokenName, TokenName};
pub use scope::{Scope, Scopes, UnknownScope};
pub use secret::Secret;
pub use session_file::SessionFile;
pub use token::Token;
pub use tokens::Tokens;

pub(crate) use caller::{Caller, Proof};
pub(crate) use session::{Moment, SESSION_COOKIE, Sessions};
pub(crate) use viewer::Viewer;
