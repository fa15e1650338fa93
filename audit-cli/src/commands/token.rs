use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use audit_core::event::Timestamp;
use audit_web::access::{Scope, Token, TokenFile, TokenName};
use clap::Subcommand;
use serde_json::json;

use super::now;
use crate::failure::{Exit, Failure};
use crate::output::{self, Cell, Format, Paint, Table};
use crate::store::{data_folder, make_private};

#[derive(Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token, and print it: it is kept as a digest and cannot be shown again
    Create(CreateArgs),
    /// List tokens, without the tokens
    Ls(ListArgs),
    /// Take a token back; what its holder has open ends
    Revoke(RevokeArgs),
}

/// Where tokens are kept.
#[derive(clap::Args)]
pub(crate) struct TokensArgs {
    /// The file that holds the digests of tokens [default: tokens.json in the user's data folder]
    #[arg(long = "tokens", value_name = "FILE", env = "AUDIT_TOKENS")]
    file: Option<PathBuf>,
}

#[derive(clap::Args)]
pub(crate) struct CreateArgs {
    /// What stands in the records of what its holder reads; of a gateway's token also in its events
    name: TokenName,
    /// What its holder may do: viewer (no payloads), auditor (payloads and exports, on record), admin
    /// (the state of the system, too), ingest (hand events in)
    #[arg(
        long = "scope",
        value_name = "SCOPE",
        value_delimiter = ',',
        required = true
    )]
    scopes: Vec<Scope>,
    /// When it ends by itself: 12h, 90d, 52w, or never
    #[arg(long, value_name = "TIME", default_value = "90d")]
    expires: Lifetime,
    #[command(flatten)]
    tokens: TokensArgs,
}

#[derive(clap::Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    tokens: TokensArgs,
    /// As a table or as JSON lines [default: a table on a terminal]
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Format>,
}

#[derive(clap::Args)]
pub(crate) struct RevokeArgs {
    /// The name of the token
    name: TokenName,
    #[command(flatten)]
    tokens: TokensArgs,
}

/// How long a token is valid; `None` is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lifetime(Option<Duration>);

impl TokensArgs {
    /// The file that the user named, or that of the data folder, which is made if it is missing.
    pub(crate) fn file(&self) -> Result<TokenFile, Failure> {
        if let Some(path) = &self.file {
            return Ok(TokenFile::at(path));
        }
        let folder = data_folder()?;
        make_private(&folder)?;
        Ok(TokenFile::at(folder.join("tokens.json")))
    }
}

pub(crate) fn run(command: TokenCommand) -> Result<ExitCode, Failure> {
    match command {
        TokenCommand::Create(args) => create(args)?,
        TokenCommand::Ls(args) => list(&args)?,
        TokenCommand::Revoke(args) => revoke(&args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn create(args: CreateArgs) -> Result<(), Failure> {
    let file = args.tokens.file()?;
    let now = now();
    let scopes = args.scopes.into_iter().collect();
    let expires = args.expires.from(now);
    let secret = file.create(args.name.clone(), scopes, now, expires);
    let secret = secret.map_err(|error| {
        let what = format!("the token {} cannot be made", args.name);
        let failure = Failure::because(what, &error);
        match error.kind() {
            ErrorKind::AlreadyExists => {
                failure.advice("names stand in records, so each is used once: choose another one")
            }
            _ => failure,
        }
    })?;
    output::print(&format!("{}\n", secret.reveal()))?;
    let until = expires.map_or_else(
        || "it does not expire".to_owned(),
        |at| format!("until {at}"),
    );
    output::tell(format_args!(
        "audit: {} ({scopes}), {until}; kept as a digest in {}, and not shown again",
        args.name,
        file.path().display()
    ));
    Ok(())
}

fn list(args: &ListArgs) -> Result<(), Failure> {
    let file = args.tokens.file()?;
    let book = file.load().map_err(|error| unreadable(&file, &error))?;
    let now = now();
    let tokens = book.tokens();
    output::print(&match Format::or_fitting(args.output) {
        Format::Csv => csv(tokens, now),
        format @ (Format::Json | Format::Jsonl) => {
            output::objects(format, tokens.iter().map(|token| object(token, now)))
        }
        Format::Table => table(tokens, now),
    })
}

const HEADINGS: [&str; 5] = ["NAME", "SCOPES", "STATE", "CREATED", "EXPIRES"];

fn table(tokens: &[Token], now: Timestamp) -> String {
    let mut table = Table::new(Paint::fitting(), &HEADINGS);
    for token in tokens {
        table.row(texts(token, now).map(|text| text.map_or(Cell::Empty, Cell::Text)));
    }
    table.into_lines()
}

fn csv(tokens: &[Token], now: Timestamp) -> String {
    let mut lines = HEADINGS.join(",").to_ascii_lowercase() + "\n";
    for token in tokens {
        let cells = texts(token, now).map(|text| output::csv_cell(&text.unwrap_or_default()));
        lines.push_str(&cells.join(","));
        lines.push('\n');
    }
    lines
}

fn texts(token: &Token, now: Timestamp) -> [Option<String>; 5] {
    [
        Some(token.name.to_string()),
        Some(token.scopes.to_string()),
        Some(state(token, now).to_owned()),
        Some(token.created.to_string()),
        token.expires.map(|at| at.to_string()),
    ]
}

fn object(token: &Token, now: Timestamp) -> String {
    let scopes: Vec<_> = token.scopes.iter().map(Scope::as_str).collect();
    let object = json!({
        "name": token.name.as_str(),
        "scopes": scopes,
        "state": state(token, now),
        "created": token.created,
        "expires": token.expires,
        "revoked": token.revoked,
    });
    object.to_string()
}

fn state(token: &Token, now: Timestamp) -> &'static str {
    if token.is_valid(now) {
        "valid"
    } else if token.revoked.is_some() {
        "revoked"
    } else {
        "expired"
    }
}

fn revoke(args: &RevokeArgs) -> Result<(), Failure> {
    let file = args.tokens.file()?;
    let revoked = file.revoke(&args.name, now());
    let since = revoked.map_err(|error| {
        let what = format!("the token {} cannot be taken back", args.name);
        let failure = Failure::because(what, &error);
        match error.kind() {
            ErrorKind::NotFound => failure
                .advice("audit token ls lists them")
                .exit(Exit::NotFound),
            _ => failure,
        }
    })?;
    output::tell(format_args!(
        "audit: {} is taken back since {since}",
        args.name
    ));
    Ok(())
}

/// A file of tokens that cannot be used.
pub(crate) fn unreadable(file: &TokenFile, error: &std::io::Error) -> Failure {
    Failure::because(
        format!("the tokens in {} cannot be read", file.path().display()),
        error,
    )
}

impl Lifetime {
    fn from(self, now: Timestamp) -> Option<Timestamp> {
        let micros = i64::try_from(self.0?.as_micros()).unwrap_or(i64::MAX);
        let end = now.as_micros().saturating_add(micros);
        Some(Timestamp::from_micros(end).unwrap_or(Timestamp::MAX))
    }
}

impl std::str::FromStr for Lifetime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self(None));
        }
        let unit = text.chars().last().and_then(|unit| match unit {
            'h' => Some(60 * 60),
            'd' => Some(24 * 60 * 60),
            'w' => Some(7 * 24 * 60 * 60),
            _ => None,
        });
        let count = unit.and_then(|_| text[..text.len() - 1].parse::<u64>().ok());
        match (count, unit) {
            (Some(count), Some(unit)) if (1..=100_000).contains(&count) => {
                Ok(Self(Some(Duration::from_secs(count * unit))))
            }
            _ => Err("it is a number of hours, days or weeks (12h, 90d, 52w), or never".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_a_number_and_a_unit() {
        let hours = |n: u64| Ok(Lifetime(Some(Duration::from_secs(n * 3_600))));
        assert_eq!("12h".parse(), hours(12));
        assert_eq!("90d".parse(), hours(90 * 24));
        assert_eq!("1w".parse(), hours(7 * 24));
        assert_eq!("never".parse(), Ok(Lifetime(None)));
        for text in ["", "d", "0d", "-1d", "1", "1m", "1é", "100001h"] {
            text.parse::<Lifetime>().unwrap_err();
        }
    }
}
