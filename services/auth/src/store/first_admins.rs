//! The table `first_admins`: who was named as the first admin, and what was applied from the Secret.

use ecommerce_types::{Email, UserId};
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

use super::malformed;
use crate::domain::PasswordHash;

/// Keeps everybody else out of the table until the end of the transaction: of two migrations one waits for the other.
pub(crate) async fn lock(transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("lock table first_admins in exclusive mode").execute(transaction).await?;
    Ok(())
}

/// What was last applied from the Secret to this user, or to whoever was named last where it never was to them.
pub(crate) async fn applied(database: impl PgExecutor<'_>, user: UserId) -> Result<Option<PasswordHash>, sqlx::Error> {
    let hash = sqlx::query_scalar!(
        "select password_hash from first_admins order by user_id = $1 desc, applied_at desc limit 1",
        user.0
    );
    Ok(hash.fetch_optional(database).await?.map(PasswordHash::from))
}

/// The addresses of the others that were named before and can still log in as admins with what stood in the Secret.
pub(crate) async fn earlier(database: impl PgExecutor<'_>, but: UserId) -> Result<Vec<Email>, sqlx::Error> {
    let emails = sqlx::query_scalar!(
        r#"select email as "email!" from first_admins join users on users.id = user_id
           where user_id <> $1 and 'admin' = any (roles) and disabled_at is null and password_changed_at = applied_at
           order by applied_at"#,
        but.0
    );
    let emails = emails.fetch_all(database).await?;
    emails.into_iter().map(|email| email.try_into().map_err(malformed)).collect()
}

/// From now on this is what was last applied.
pub(crate) async fn record(
    database: impl PgExecutor<'_>,
    user: UserId,
    hash: &PasswordHash,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into first_admins (user_id, password_hash, applied_at) values ($1, $2, $3)
         on conflict (user_id) do update set password_hash = excluded.password_hash, applied_at = excluded.applied_at",
        user.0,
        hash.as_str(),
        at
    )
    .execute(database)
    .await?;
    Ok(())
}
