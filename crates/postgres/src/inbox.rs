//! Messages that have been received. Recorded in the transaction of their effect, so that a message that comes again does
//! nothing.

use std::collections::HashSet;

use sqlx::PgConnection;
use uuid::Uuid;

/// Records messages and answers those that were not recorded before.
pub async fn record(transaction: &mut PgConnection, ids: &[Uuid]) -> Result<HashSet<Uuid>, sqlx::Error> {
    let new = sqlx::query_scalar!(
        // Sorted, so that two batches with the same messages wait for each other and do not deadlock.
        "insert into inbox (message_id)
         select distinct id from unnest($1::uuid[]) as message (id) order by id
         on conflict do nothing
         returning message_id",
        ids
    )
    .fetch_all(transaction)
    .await?;
    Ok(new.into_iter().collect())
}
