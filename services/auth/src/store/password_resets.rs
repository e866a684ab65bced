//! The table `password_resets`: links that were given out.

use ecommerce_postgres::Pool;
use ecommerce_types::UserId;
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

use ecommerce_postgres::housekeeping::BATCH;

/// Whose password a link sets that is good at `now`.
pub(crate) async fn user_of(
    database: impl PgExecutor<'_>,
    token_hash: &[u8],
    now: OffsetDateTime,
) -> Result<Option<UserId>, sqlx::Error> {
    let user = sqlx::query_scalar!(
        "select user_id from password_resets where token_hash = $1 and expires_at > $2",
        token_hash,
        now
    );
    Ok(user.fetch_optional(database).await?.map(UserId))
}

/// Keeps a link.
pub(crate) async fn insert(
    database: impl PgExecutor<'_>,
    token_hash: &[u8],
    user: UserId,
    expires_at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into password_resets (token_hash, user_id, expires_at) values ($1, $2, $3)",
        token_hash,
        user.0,
        expires_at
    )
    .execute(database)
    .await?;
    Ok(())
}

/// Uses a link up, and the user's other ones with it; false where somebody else has.
pub(crate) async fn use_up(
    transaction: &mut PgConnection,
    token_hash: &[u8],
    user: UserId,
) -> Result<bool, sqlx::Error> {
    let one = sqlx::query!("delete from password_resets where token_hash = $1 and user_id = $2", token_hash, user.0);
    let was_there = one.execute(&mut *transaction).await?.rows_affected() == 1;
    withdraw(transaction, user).await?;
    Ok(was_there)
}

/// Takes out all links of a user.
pub(crate) async fn withdraw(database: impl PgExecutor<'_>, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from password_resets where user_id = $1", user.0).execute(database).await?;
    Ok(())
}

/// Takes out up to [`BATCH`] links whose time is over; answers how many there were.
pub(crate) async fn forget_old(pool: Pool, now: OffsetDateTime) -> Result<u64, sqlx::Error> {
    let forgotten = sqlx::query!(
        "delete from password_resets where token_hash in (
           select token_hash from password_resets where expires_at < $1 limit $2 for update skip locked)",
        now,
        BATCH.cast_signed()
    );
    Ok(forgotten.execute(&pool).await?.rows_affected())
}
