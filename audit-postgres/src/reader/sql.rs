use sqlx::postgres::{PgArguments, Postgres};
use sqlx::query::Query;
use sqlx::{Encode, QueryBuilder, Type};

/// A statement that is put together from the text of this program alone: what comes from outside
/// has no way in but as a bind.
pub(super) struct Sql(QueryBuilder<Postgres>);

impl Sql {
    pub(super) fn new(text: &'static str) -> Self {
        Self(QueryBuilder::new(text))
    }

    pub(super) fn text(&mut self, text: &'static str) -> &mut Self {
        self.0.push(text);
        self
    }

    pub(super) fn bind<T>(&mut self, value: T) -> &mut Self
    where
        T: Encode<'static, Postgres> + Type<Postgres>,
    {
        self.0.push_bind(value);
        self
    }

    /// Binds a number of rows; there are never more than a signed integer counts.
    pub(super) fn bind_rows(&mut self, n_rows: impl TryInto<i64>) -> &mut Self {
        self.bind(n_rows.try_into().unwrap_or(i64::MAX))
    }

    /// The statement, to be run once.
    ///
    /// It is not prepared for later: the server then plans it for these very values, so that a
    /// range of time prunes partitions, a prefix becomes a range of an index, and a rare value is
    /// not read by the plan of a common one.
    pub(super) fn query(&mut self) -> Query<'_, Postgres, PgArguments> {
        self.0.build().persistent(false)
    }
}
