use std::path::{Path, PathBuf};
use std::time::Duration;

use audit_core::sink::AuditSink as _;
use audit_postgres::{PostgresConfig, PostgresMaintainer};
use audit_testkit::postgres::{TcpProxy, TestDatabase};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::Failure;
use super::place::{Place, Setting};
use super::record::Record;
use super::round::Round;
use super::stored::Stored;
use super::verdict::Verdict;

/// What is to be proven, and with which effort.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Proof {
    /// The program `audit-crash`, which is the victim.
    pub program: PathBuf,
    /// What stands behind the logger.
    pub setting: Setting,
    /// How often it is killed.
    pub n_rounds: usize,
    /// Decides everything that is drawn.
    pub seed: u64,
}

/// How long the last run may take to recover.
const LAST_RUN: Duration = Duration::from_secs(120);

impl Proof {
    /// A proof by so many kills.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>, setting: Setting, n_rounds: usize, seed: u64) -> Self {
        Self {
            program: program.into(),
            setting,
            n_rounds,
            seed,
        }
    }
}

/// Kills victims, lets a last run recover, and compares.
///
/// # Errors
/// The proof could not be done: what it needs is missing, a victim ended by itself, or the last
/// run did not get to its end.
pub async fn prove(proof: &Proof) -> Result<Verdict, Failure> {
    let folder = tempfile::Builder::new().prefix("audit-crash-").tempdir()?;
    match proof.setting {
        Setting::PostgresBehindSpool => {
            let database = TestDatabase::create().await?;
            let config = PostgresConfig::from_url(database.url())?;
            let maintainer = PostgresMaintainer::connect(&config).await?;
            maintainer.migrate().await?;
            let options = database.pool().connect_options();
            let proxy = TcpProxy::start((options.get_host(), options.get_port())).await?;
            let url = proxy.url(database.url())?;
            let place = Place::new(proof.setting, folder.path().to_owned(), Some(url));
            let verdict = prove_at(proof, &place, Some(&proxy)).await?;
            database.close().await?;
            Ok(verdict)
        }
        Setting::Sqlite | Setting::SqliteBehindSpool => {
            let place = Place::new(proof.setting, folder.path().to_owned(), None);
            prove_at(proof, &place, None).await
        }
    }
}

async fn prove_at(
    proof: &Proof,
    place: &Place,
    proxy: Option<&TcpProxy>,
) -> Result<Verdict, Failure> {
    let mut random = StdRng::seed_from_u64(proof.seed);
    let mut record = Record::new();
    for number in 1..=proof.n_rounds {
        let round = Round::draw(&mut random);
        let ran = round.run(&proof.program, place, proxy, &mut record).await;
        ran.map_err(|error| format!("round {number}, {round:?}: {error}"))?;
    }
    let n_dead_letters = recover(place).await?;
    let reader = place.reader().await?;
    let stored = Stored::read(&*reader, n_dead_letters).await?;
    Ok(Verdict::of(&record, &stored))
}

/// The last run: records what was left open, and sends on what was left behind. Gives back how much
/// was refused for good.
async fn recover(place: &Place) -> Result<usize, Failure> {
    let opened = place.open().await?;
    let report = opened.logger.shutdown(LAST_RUN).await;
    if !report.is_complete() {
        return Err(format!("the last run did not get to its end: {report:?}").into());
    }
    let mut n_dead_letters = place.n_dead_letters().await?;
    if let Some(spool) = &opened.spool {
        n_dead_letters += spool.dead_letters(1_000).await?.len();
        spool.close().await?;
        is_empty(&place.folder.join("spool"))?;
    }
    Ok(n_dead_letters)
}

/// One file is left, of the spool that was open last.
fn is_empty(folder: &Path) -> Result<(), Failure> {
    let mut n_files = 0;
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        n_files += usize::from(name.to_string_lossy().ends_with(".db"));
    }
    if n_files > 1 {
        return Err(format!("{n_files} files of the spool were left, and not taken over").into());
    }
    Ok(())
}
