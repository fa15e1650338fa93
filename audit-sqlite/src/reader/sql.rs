use audit_core::{Error, ErrorKind};
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments};
use sqlx::{Encode, QueryBuilder, Type};

/// A statement that is put together from the text of this program alone: what comes from outside
/// has no way in but as a bind.
pub(crate) struct Sql {
    builder: QueryBuilder<Sqlite>,
    n_binds: usize,
}

/// SQLite's own bound.
const MAX_BINDS: usize = 32_766;

impl Sql {
    pub(crate) fn new(text: &'static str) -> Self {
        Self {
            builder: QueryBuilder::new(text),
            n_binds: 0,
        }
    }

    pub(crate) fn text(&mut self, text: &'static str) -> &mut Self {
        self.builder.push(text);
        self
    }

    pub(crate) fn bind<T>(&mut self, value: T) -> &mut Self
    where
        T: Encode<'static, Sqlite> + Type<Sqlite>,
    {
        self.builder.push_bind(value);
        self.n_binds += 1;
        self
    }

    /// Binds a number of rows; there are never more than a signed integer counts.
    pub(crate) fn bind_rows(&mut self, n_rows: impl TryInto<i64>) -> &mut Self {
        self.bind(n_rows.try_into().unwrap_or(i64::MAX))
    }

    /// Binds values with commas between them.
    pub(super) fn bind_all<T>(&mut self, values: impl IntoIterator<Item = T>) -> &mut Self
    where
        T: Encode<'static, Sqlite> + Type<Sqlite>,
    {
        for (index, value) in values.into_iter().enumerate() {
            self.text(if index == 0 { "" } else { ", " }).bind(value);
        }
        self
    }

    /// Makes sure that SQLite takes as many binds.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.n_binds <= MAX_BINDS {
            return Ok(());
        }
        Err(too_many_terms())
    }

    pub(super) fn n_binds(&self) -> usize {
        self.n_binds
    }

    /// The statement, to be run once: there are more different ones than are worth keeping.
    pub(super) fn query(&mut self) -> Query<'_, Sqlite, SqliteArguments> {
        self.builder.build().persistent(false)
    }
}

pub(super) fn too_many_terms() -> Error {
    let text = "the filter has more terms than one question can ask: ask in parts";
    Error::new(ErrorKind::Invalid, text)
}
