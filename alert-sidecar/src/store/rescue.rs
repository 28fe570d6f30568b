//! Brings over into a new store what can be read of a damaged one, row by row.
//!
//! The damaged file itself is only read from a copy, so that it stays as it was found.

use std::path::Path;

use sqlx::{AnyConnection, AssertSqlSafe, Result};

use super::sqlite;

/// The most rows of one table that are tried one by one where a damaged page lies between others.
const MOST_TRIED: i64 = 1_000_000;

/// Brings over what can be read, and says what that was. It cannot fail: the new store stands in any case.
pub(super) async fn rescue(connection: &mut AnyConnection, aside: &Path) {
    let copy = sqlite::beside(aside, ".copy");
    let result = match sqlite::copy(aside, &copy) {
        Ok(()) => bring_over(connection, &copy).await,
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(()) => {}
        Err(error) => {
            tracing::error!(%error, "nothing more of the damaged store could be read");
        }
    }
    // It is attached only where it could be opened.
    if let Err(error) = sqlx::raw_sql("DETACH DATABASE damaged")
        .execute(connection)
        .await
    {
        tracing::debug!(%error, "the damaged store was not attached");
    }
    sqlite::delete(&copy);
}

async fn bring_over(connection: &mut AnyConnection, copy: &Path) -> Result<()> {
    sqlx::query("ATTACH DATABASE $1 AS damaged")
        .bind(copy.to_string_lossy().into_owned())
        .execute(&mut *connection)
        .await?;
    // In the order in which they were made, so that what is referred to comes first.
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM main.sqlite_master
         WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\' ORDER BY rowid",
    )
    .fetch_all(&mut *connection)
    .await?;
    for table in tables {
        match bring_table(connection, &table).await {
            Ok((rescued, lost)) => {
                tracing::warn!(
                    table,
                    rescued,
                    unreadable = lost,
                    "brought over from the damaged store"
                );
            }
            Err(error) => {
                tracing::error!(table, %error, "nothing of a table of the damaged store can be read");
            }
        }
    }
    Ok(())
}

/// Gives how many rows came over, and how many are known to have been there and did not.
async fn bring_table(connection: &mut AnyConnection, table: &str) -> Result<(u64, u64)> {
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT new.name FROM pragma_table_info($1, 'main') AS new
         JOIN pragma_table_info($1, 'damaged') AS old ON old.name = new.name",
    )
    .bind(table)
    .fetch_all(&mut *connection)
    .await?;
    let columns = columns.join(", ");
    let (rows, unsure) = rows(connection, table).await;
    let (mut rescued, mut lost) = (0, 0);
    let bring = format!(
        "INSERT OR IGNORE INTO main.{table} ({columns}) SELECT {columns} FROM damaged.{table} WHERE rowid = $1"
    );
    for row in rows {
        match sqlx::query(AssertSqlSafe(bring.as_str()))
            .bind(row)
            .execute(&mut *connection)
            .await
        {
            Ok(done) => rescued += done.rows_affected(),
            Err(error) => {
                tracing::debug!(table, row, %error, "a row cannot be read");
                lost += 1;
            }
        }
    }
    if unsure {
        tracing::warn!(table, "there may have been more rows than can be counted");
    }
    Ok((rescued, lost))
}

/// The numbers of the rows: those that a walk from the front and one from the back find, and every number between them.
/// Says too whether there may be others.
async fn rows(connection: &mut AnyConnection, table: &str) -> (Vec<i64>, bool) {
    let (mut front, is_all) = walk(connection, table, "ASC").await;
    if is_all {
        return (front, false);
    }
    let (mut back, _) = walk(connection, table, "DESC").await;
    back.reverse();
    let from = front.last().map_or(1, |last| last + 1);
    let until = back.first().map_or(from + 1000, |first| *first);
    front.extend((from..until).take(usize::try_from(MOST_TRIED).unwrap_or(usize::MAX)));
    let is_unsure = back.is_empty() || until - from > MOST_TRIED;
    front.append(&mut back);
    (front, is_unsure)
}

/// Goes over a table until its end or its first damaged page; says which of the two it was.
async fn walk(connection: &mut AnyConnection, table: &str, direction: &str) -> (Vec<i64>, bool) {
    let (mark, start) = match direction {
        "ASC" => (">", i64::MIN),
        _ => ("<", i64::MAX),
    };
    let next = format!(
        "SELECT rowid FROM damaged.{table} NOT INDEXED WHERE rowid {mark} $1 ORDER BY rowid {direction} LIMIT 1"
    );
    let mut found = Vec::new();
    let mut last = start;
    loop {
        let row: Result<Option<i64>> = sqlx::query_scalar(AssertSqlSafe(next.as_str()))
            .bind(last)
            .fetch_optional(&mut *connection)
            .await;
        match row {
            Ok(Some(row)) => {
                found.push(row);
                last = row;
            }
            Ok(None) => return (found, true),
            Err(error) => {
                tracing::debug!(table, direction, %error, "a damaged page");
                return (found, false);
            }
        }
    }
}
