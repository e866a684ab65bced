//! Statements that define roles and databases.

use sqlx::{AssertSqlSafe, Executor as _, PgConnection};

/// Such a statement takes no parameters: every name in it went through [`quote`].
pub(super) async fn run(connection: &mut PgConnection, statement: String) -> Result<(), sqlx::Error> {
    connection.execute(AssertSqlSafe(statement)).await.map(|_| ())
}

/// A name as an identifier of SQL.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as a literal of SQL.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
