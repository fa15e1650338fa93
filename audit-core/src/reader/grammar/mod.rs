//! The filter grammar: one line that people type and programs print. [`Filter::parse`] says what stands
//! in it.

mod error;
mod lexer;
mod moment;
mod range;
mod term;

pub use error::InvalidFilter;
pub use moment::moment;

use self::lexer::{Lexer, Token};
use self::term::Reading;
use super::filter::Filter;
use crate::event::Timestamp;

impl Filter {
    /// Reads a filter as people type it: terms, side by side. `now` is what `since:24h` counts from.
    ///
    /// ```text
    /// tool:delete_* outcome:denied,rate_limited -role:admin status:>=500 since:24h "free text"
    /// ```
    ///
    /// About different fields all terms are needed; about the same field, one is enough, which a comma
    /// says too; `-` excludes. What a [`Filter`] prints is read back as the same filter.
    ///
    /// | term | asks for |
    /// |---|---|
    /// | `key:` `tool:` `method:` `role:` `session:` `request:` `upstream:` `client:` `client_version:` `address:` `writer:` | the text, `*` for any run of characters; `none`: it is not there |
    /// | `outcome:` | a word of [`Outcome`](crate::event::Outcome) |
    /// | `auth:` `authz:` `rate:` | `allowed`, `denied`, `skipped`, `error` |
    /// | `status:` `seq:` | a number: `500`, `>=500`, `<500`, `500..599` |
    /// | `latency:` `upstream_latency:` | a duration: `>250ms`, `1s..5s`; without a unit milliseconds |
    /// | `time:` | a range of moments: `2026-03-01..2026-03-02`, `>=yesterday` |
    /// | `since:` `until:` | the range from one to the other, both in it; it has to hold beside `time:` |
    /// | `id:` `trace:` `span:` | the whole identifier |
    /// | `redacted:` | `yes` or `no` |
    /// | `word`, `"several words"` | some text of the event contains it, in either case |
    ///
    /// A value with blanks, commas or quotes stands in quotes, in which a backslash takes the meaning
    /// off the character behind it. Moments are those of [`moment()`](crate::reader::moment()). Between
    /// two filters that both have to hold stands `&`.
    ///
    /// ```
    /// use audit_core::event::Timestamp;
    /// use audit_core::reader::Filter;
    ///
    /// let filter = Filter::parse("tool:delete_* -role:admin outcome:denied", Timestamp::MIN)?;
    /// assert_eq!(filter.to_string(), r#"tool:"delete_*" -role:"admin" outcome:denied"#);
    ///
    /// let error = Filter::parse("tool:x statsu:500", Timestamp::MIN).unwrap_err();
    /// assert_eq!(error.column(), 8);
    /// assert!(error.to_string().contains("did you mean status:"));
    /// # Ok::<(), audit_core::reader::InvalidFilter>(())
    /// ```
    ///
    /// # Errors
    /// The text is none. The error points at the column, and names what would fit.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, InvalidFilter> {
        let mut lexer = Lexer::new(text);
        let mut reading = Reading::new(now);
        // What stands before an `&`: it has to hold as well.
        let mut before: Option<Self> = None;
        while let Some(token) = lexer.next_token()? {
            match token {
                Token::And => {
                    let clause = std::mem::replace(&mut reading, Reading::new(now)).finish();
                    before = Some(joined(before, clause));
                }
                Token::Term(term) => reading.read(&term, &mut lexer)?,
            }
        }
        Ok(joined(before, reading.finish()))
    }
}

fn joined(before: Option<Filter>, clause: Filter) -> Filter {
    match before {
        Some(before) => before.intersect(clause),
        None => clause,
    }
}
