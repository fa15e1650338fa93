use audit_core::Error;
use audit_core::reader::{Condition, Filter};

use super::columns;
use super::condition;
use super::sql::{Sql, too_many_terms};

/// SQLite nests the terms of an `OR` or an `AND` one in the other, a thousand deep at the most.
const MAX_BINDS: usize = 900;

/// Writes what the filter demands behind a `WHERE` with something in it.
pub(super) fn push(sql: &mut Sql, filter: &Filter) -> Result<(), Error> {
    push_except(sql, filter, None)
}

/// The same but for one group of the filter's alternatives, which is taken care of elsewhere.
pub(super) fn push_except(
    sql: &mut Sql,
    filter: &Filter,
    except: Option<usize>,
) -> Result<(), Error> {
    let n_before = sql.n_binds();
    for (group, (_, conditions)) in filter.alternatives().into_iter().enumerate() {
        if except == Some(group) {
            continue;
        }
        sql.text("\n    AND (");
        push_alternatives(sql, &conditions)?;
        sql.text(")");
    }
    for condition in filter.exclusions() {
        sql.text("\n    AND ");
        push_exclusion(sql, condition)?;
    }
    if sql.n_binds() - n_before > MAX_BINDS {
        return Err(too_many_terms());
    }
    Ok(())
}

/// One of the conditions has to hold; they are about one field. Those that ask for one value each
/// become one comparison with all of them.
fn push_alternatives(sql: &mut Sql, conditions: &[&Condition]) -> Result<(), Error> {
    let (exact, others): (Vec<_>, Vec<_>) = conditions
        .iter()
        .copied()
        .partition(|condition| is_exact(condition));
    let mut is_first = true;
    if let Some(first) = exact.first() {
        is_first = false;
        push_any_of(sql, first, &exact)?;
    }
    for condition in others {
        sql.text(if is_first { "(" } else { " OR (" });
        is_first = false;
        condition::push(sql, condition)?;
        sql.text(")");
    }
    Ok(())
}

/// Whether a condition about a text, an outcome or an id asks for one value.
pub(super) fn is_exact(condition: &Condition) -> bool {
    match condition {
        Condition::Id(_) | Condition::Outcome(_) => true,
        Condition::Text(_, glob) => glob.as_exact().is_some(),
        _ => false,
    }
}

/// Writes conditions that are [exact](is_exact) and about the field of the first.
fn push_any_of(sql: &mut Sql, first: &Condition, all: &[&Condition]) -> Result<(), Error> {
    if all.len() == 1 {
        return condition::push(sql, first);
    }
    match first {
        Condition::Id(_) => {
            let ids = all.iter().filter_map(|condition| match condition {
                Condition::Id(id) => Some(*id.as_uuid()),
                _ => None,
            });
            sql.text("id IN (").bind_all(ids);
        }
        Condition::Text(field, _) => {
            let column = columns::of_text(*field)?;
            sql.text(column).text(" IN (").bind_all(texts(all));
        }
        _ => {
            sql.text("outcome IN (").bind_all(texts(all));
        }
    }
    sql.text(")");
    Ok(())
}

/// The values that exact conditions about a text or an outcome ask for.
pub(super) fn texts(conditions: &[&Condition]) -> Vec<String> {
    let text = |condition: &&Condition| match condition {
        Condition::Outcome(outcome) => Some(outcome.as_str().to_owned()),
        Condition::Text(_, glob) => glob.as_exact().map(ToOwned::to_owned),
        _ => None,
    };
    conditions.iter().filter_map(text).collect()
}

/// Null is no match, and what does not match is not excluded.
fn push_exclusion(sql: &mut Sql, condition: &Condition) -> Result<(), Error> {
    if let Condition::Outcome(outcome) = condition {
        // It is never null, and in this form the index of what went wrong is found.
        sql.text("outcome <> ").bind(outcome.as_str());
        return Ok(());
    }
    sql.text("(");
    condition::push(sql, condition)?;
    sql.text(") IS NOT TRUE");
    Ok(())
}
