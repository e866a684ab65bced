//! What was done to a table, as far as the server was told.

use crate::Database;

/// Counts since the table was made.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct TableWork {
    /// Looks into it, by an index or from end to end.
    pub looks: i64,
    /// Pages of it and of its indexes that were touched.
    pub pages: i64,
    /// Rows that were deleted.
    pub deleted: i64,
}

impl TableWork {
    /// On the table of this name.
    ///
    /// # Panics
    /// When there is none.
    pub async fn of(database: &Database, table: &str) -> Self {
        let work = "select seq_scan + idx_scan as looks, n_tup_del as deleted,
                      heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read as pages
                    from pg_stat_user_tables join pg_statio_user_tables using (relid)
                    where pg_stat_user_tables.relname = $1";
        sqlx::query_as(work).bind(table).fetch_one(&database.pool).await.expect("a table")
    }
}
