//! The table `idempotency_keys`, which every service with such writes has in its own database.

use ecommerce_postgres::Pool;
use ecommerce_postgres::housekeeping::BATCH;
use sqlx::PgConnection;

use crate::{Error, Scope, StoredAnswer};

/// The constraint that two writes with one key violate.
pub const ONE_ANSWER_A_KEY: &str = "idempotency_keys_pkey";

/// The answer that was given to this write, if it is done.
pub async fn find(connection: &mut PgConnection, scope: &Scope) -> Result<Option<StoredAnswer>, Error> {
    let stored = sqlx::query!(
        "select request_hash, status, body from idempotency_keys
         where user_id = $1 and method = $2 and path = $3 and key = $4",
        scope.user_id.0,
        scope.method,
        scope.path,
        scope.key
    )
    .fetch_optional(connection)
    .await?;
    match stored {
        None => Ok(None),
        Some(row) if row.request_hash != scope.fingerprint => Err(Error::Reused),
        Some(row) => Ok(Some(StoredAnswer { status: u16::try_from(row.status).unwrap_or(500), body: row.body })),
    }
}

/// Takes the key for this transaction, or answers what was answered before.
///
/// It tries the lock and does not wait for it: a client that repeats itself would otherwise drain the pool. Whatever is
/// answered without a commit is to be rolled back before: a transaction that is only dropped ends a moment later, and the
/// key with it.
pub async fn begin(transaction: &mut PgConnection, scope: &Scope) -> Result<Option<StoredAnswer>, Error> {
    let locked = sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock($1) as "locked!""#, scope.lock())
        .fetch_one(&mut *transaction)
        .await?;
    if !locked {
        // Who holds the lock may have the answer already, as when a write is repeated twice.
        return find(transaction, scope).await?.map(Some).ok_or(Error::Running);
    }
    find(transaction, scope).await
}

/// Stores the answer beside the effect.
pub async fn store(transaction: &mut PgConnection, scope: &Scope, answer: &StoredAnswer) -> Result<(), Error> {
    sqlx::query!(
        "insert into idempotency_keys (user_id, method, path, key, request_hash, status, body)
         values ($1, $2, $3, $4, $5, $6, $7)",
        scope.user_id.0,
        scope.method,
        scope.path,
        scope.key,
        scope.fingerprint,
        answer.status_code(),
        answer.body
    )
    .execute(transaction)
    .await?;
    Ok(())
}

/// Takes out up to [`BATCH`] keys that are older than 24 hours; answers how many there were.
pub async fn forget_old(pool: Pool) -> Result<u64, sqlx::Error> {
    let forgotten = sqlx::query!(
        "delete from idempotency_keys where ctid = any(array(
           select ctid from idempotency_keys where created_at < now() - interval '24 hours'
           limit $1 for update skip locked))",
        BATCH.cast_signed()
    );
    Ok(forgotten.execute(&pool).await?.rows_affected())
}
