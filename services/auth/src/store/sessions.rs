//! The table `sessions`: where it is known for sure which stand, and which endings are published to Redis.

use ecommerce_postgres::housekeeping::BATCH;
use ecommerce_types::{SessionId, UserId};
use sqlx::{PgExecutor, PgPool};
use time::OffsetDateTime;

/// Up to `limit` endings that are not published, oldest first; those that Redis forgets by itself are not among
/// them.
pub(crate) async fn unpublished(
    database: impl PgExecutor<'_>,
    now: OffsetDateTime,
    limit: i64,
) -> Result<Vec<SessionId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "select id from sessions
         where ended_at is not null and published_at is null and expires_at > $1
         order by ended_at limit $2",
        now,
        limit
    )
    .fetch_all(database)
    .await?;
    Ok(ids.into_iter().map(SessionId).collect())
}

pub(crate) async fn insert(
    database: impl PgExecutor<'_>,
    id: SessionId,
    user: UserId,
    created_at: OffsetDateTime,
    expires_at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into sessions (id, user_id, created_at, expires_at) values ($1, $2, $3, $4)",
        id.0,
        user.0,
        created_at,
        expires_at
    )
    .execute(database)
    .await?;
    Ok(())
}

/// Ends a session of this user; false when it had ended before, or there is none.
pub(crate) async fn end(
    database: impl PgExecutor<'_>,
    id: SessionId,
    user: UserId,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let ended = sqlx::query!(
        "update sessions set ended_at = $3 where id = $1 and user_id = $2 and ended_at is null",
        id.0,
        user.0,
        now
    )
    .execute(database)
    .await?;
    Ok(ended.rows_affected() == 1)
}

/// These endings are published.
pub(crate) async fn mark_published(
    database: impl PgExecutor<'_>,
    ids: &[SessionId],
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    sqlx::query!("update sessions set published_at = $2 where id = any($1)", &ids, now).execute(database).await?;
    Ok(())
}

/// The endings since then are to be published once more; answers how many there are.
pub(crate) async fn publish_again(database: impl PgExecutor<'_>, since: OffsetDateTime) -> Result<u64, sqlx::Error> {
    let again =
        sqlx::query!("update sessions set published_at = null where ended_at > $1 and published_at is not null", since)
            .execute(database)
            .await?;
    Ok(again.rows_affected())
}

/// Takes out up to [`BATCH`] sessions that were over before then; answers how many there were.
pub(crate) async fn forget_old(pool: PgPool, before: OffsetDateTime) -> Result<u64, sqlx::Error> {
    let forgotten = sqlx::query!(
        "delete from sessions where id in (
           select id from sessions where expires_at < $1 limit $2 for update skip locked)",
        before,
        BATCH.cast_signed()
    );
    Ok(forgotten.execute(&pool).await?.rows_affected())
}
