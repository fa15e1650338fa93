use audit_core::{Error, ErrorKind};
use sqlx::postgres::{PgArguments, Postgres};
use sqlx::query::Query;
use sqlx::{Encode, QueryBuilder, Type};

/// A statement that is put together from the text of this program alone: what comes from outside
/// has no way in but as a bind.
pub(super) struct Sql {
    builder: QueryBuilder<Postgres>,
    n_binds: usize,
}

impl Sql {
    pub(super) fn new(text: &'static str) -> Self {
        Self {
            builder: QueryBuilder::new(text),
            n_binds: 0,
        }
    }

    pub(super) fn text(&mut self, text: &'static str) -> &mut Self {
        self.builder.push(text);
        self
    }

    pub(super) fn bind<T>(&mut self, value: T) -> &mut Self
    where
        T: Encode<'static, Postgres> + Type<Postgres>,
    {
        self.builder.push_bind(value);
        self.n_binds += 1;
        self
    }

    /// Binds a number of rows; there are never more than a signed integer counts.
    pub(super) fn bind_rows(&mut self, n_rows: impl TryInto<i64>) -> &mut Self {
        self.bind(n_rows.try_into().unwrap_or(i64::MAX))
    }

    /// Makes sure that the protocol has numbers for all binds.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.n_binds <= usize::from(u16::MAX) {
            return Ok(());
        }
        let text = "the filter has more terms than one question can ask: ask in parts";
        Err(Error::new(ErrorKind::Invalid, text))
    }

    /// The statement, to be run once.
    ///
    /// It is not prepared for later: the server then plans it for these very values, so that a
    /// range of time prunes partitions, a prefix becomes a range of an index, and a rare value is
    /// not read by the plan of a common one.
    pub(super) fn query(&mut self) -> Query<'_, Postgres, PgArguments> {
        self.builder.build().persistent(false)
    }
}
