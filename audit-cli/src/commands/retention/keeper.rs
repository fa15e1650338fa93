use std::fmt;

use audit_core::AuditSink as _;
use audit_core::event::Timestamp;
use audit_postgres::PostgresMaintainer;
use audit_sqlite::SqliteStore;

use super::super::now;
use crate::failure::{Exit, Failure};
use crate::store::{self, StoreAddress};

/// A store, as who keeps it sees it.
pub(super) enum Keeper {
    Postgres(PostgresMaintainer),
    Sqlite(SqliteStore),
}

/// What is to go and what is to stay.
pub(super) enum Plan {
    Postgres(audit_postgres::RetentionPlan),
    Sqlite(audit_sqlite::RetentionPlan),
}

/// What went.
pub(super) enum Report {
    Postgres(audit_postgres::RetentionReport),
    Sqlite(audit_sqlite::RetentionReport),
}

/// A stretch of time that is held.
pub(super) struct Hold {
    pub(super) name: String,
    pub(super) reason: String,
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
    pub(super) placed_at: Option<Timestamp>,
}

impl Keeper {
    pub(super) async fn open(address: &StoreAddress) -> Result<Self, Failure> {
        match address {
            StoreAddress::Memory => Err(store::gone()),
            StoreAddress::Postgres { config, .. } => PostgresMaintainer::connect(config)
                .await
                .map(Self::Postgres)
                .map_err(|error| store::unusable(address, &error)),
            StoreAddress::Sqlite(config) => {
                store::check_there(address, config)?;
                let store = SqliteStore::open(config).await;
                store
                    .map(Self::Sqlite)
                    .map_err(|error| store::unusable(address, &error))
            }
        }
    }

    pub(super) async fn plan(&self, keep_days: u16) -> Result<Plan, Failure> {
        let plan = match self {
            Self::Postgres(maintainer) => {
                let policy = audit_postgres::RetentionPolicy::keep_days(keep_days);
                let plan = maintainer.retention().plan(policy, now()).await;
                plan.map(Plan::Postgres)
            }
            Self::Sqlite(store) => {
                let policy = audit_sqlite::RetentionPolicy::keep_days(keep_days);
                store
                    .retention()
                    .plan(policy, now())
                    .await
                    .map(Plan::Sqlite)
            }
        };
        plan.map_err(|error| store::unanswered(&error))
    }

    pub(super) async fn apply(&self, plan: &Plan) -> Result<Report, Failure> {
        let done = match (self, plan) {
            (Self::Postgres(maintainer), Plan::Postgres(plan)) => maintainer
                .retention()
                .apply(plan)
                .await
                .map(Report::Postgres),
            (Self::Sqlite(store), Plan::Sqlite(plan)) => {
                store.retention().apply(plan).await.map(Report::Sqlite)
            }
            _ => return Err(Failure::new("the plan is that of another store")),
        };
        done.map_err(|error| {
            Failure::because("not all of it was removed", &error)
                .advice("what was removed stays removed; run it again")
                .exit(Exit::Incomplete)
        })
    }

    pub(super) async fn place(&self, hold: Hold) -> Result<(), Failure> {
        let refused = |error| Failure::because("the hold cannot be placed", &error);
        let unusable = |error| refused(error).exit(Exit::Usage);
        let placed = match self {
            Self::Postgres(maintainer) => {
                let mut it = audit_postgres::Hold::new(hold.name, hold.reason).map_err(unusable)?;
                (it.from, it.to) = (hold.from, hold.to);
                maintainer.holds().place(&it).await
            }
            Self::Sqlite(store) => {
                let mut it = audit_sqlite::Hold::new(hold.name, hold.reason).map_err(unusable)?;
                (it.from, it.to) = (hold.from, hold.to);
                store.holds().place(&it).await
            }
        };
        placed.map_err(|error| match error.is_rejected() {
            true => unusable(error),
            false => refused(error),
        })
    }

    /// Says whether there was one.
    pub(super) async fn release(&self, name: &str) -> Result<bool, Failure> {
        let released = match self {
            Self::Postgres(maintainer) => maintainer.holds().release(name).await,
            Self::Sqlite(store) => store.holds().release(name).await,
        };
        released.map_err(|error| Failure::because("the hold cannot be released", &error))
    }

    pub(super) async fn holds(&self) -> Result<Vec<Hold>, Failure> {
        let holds = match self {
            Self::Postgres(maintainer) => maintainer.holds().list().await.map(|holds| {
                let hold = |it: audit_postgres::Hold| Hold {
                    name: it.name,
                    reason: it.reason,
                    from: it.from,
                    to: it.to,
                    placed_at: it.placed_at,
                };
                holds.into_iter().map(hold).collect()
            }),
            Self::Sqlite(store) => store.holds().list().await.map(|holds| {
                let hold = |it: audit_sqlite::Hold| Hold {
                    name: it.name,
                    reason: it.reason,
                    from: it.from,
                    to: it.to,
                    placed_at: it.placed_at,
                };
                holds.into_iter().map(hold).collect()
            }),
        };
        holds.map_err(|error| store::unanswered(&error))
    }

    pub(super) async fn close(self) -> Result<(), Failure> {
        match self {
            Self::Postgres(_) => Ok(()),
            Self::Sqlite(store) => store
                .close()
                .await
                .map_err(|error| Failure::because("the store was not closed in order", &error)),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(plan) => plan.fmt(f),
            Self::Sqlite(plan) => plan.fmt(f),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(report) => {
                for partition in &report.removed {
                    writeln!(
                        f,
                        "{} is gone, with {} events",
                        partition.name, partition.n_events
                    )?;
                }
                for name in &report.kept {
                    writeln!(
                        f,
                        "{name} stays: it was held since, or somebody else removed it"
                    )?;
                }
                let n_events: u64 = report.removed.iter().map(|it| it.n_events).sum();
                write!(f, "{n_events} events removed")
            }
            Self::Sqlite(report) => write!(f, "{} events removed", report.n_events),
        }
    }
}
