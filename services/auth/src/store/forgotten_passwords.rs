//! The table `forgotten_passwords`: addresses that a link is to be sent to, if there is such an account.

use ecommerce_types::Email;
use sqlx::PgExecutor;
use time::{Duration, OffsetDateTime};

use super::malformed;

/// Somebody says that the password of this address is forgotten. Said twice before a link was sent, it is as said once.
pub(crate) async fn insert(
    database: impl PgExecutor<'_>,
    email: &Email,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into forgotten_passwords (email, asked_at, try_at) values ($1, $2, $2) on conflict do nothing",
        email.as_str(),
        now
    )
    .execute(database)
    .await?;
    Ok(())
}

/// The address whose turn it is, and when it was asked for; nobody else gets it for this pause, or for as long as it has been tried.
pub(crate) async fn take(
    database: impl PgExecutor<'_>,
    now: OffsetDateTime,
    pause: Duration,
) -> Result<Option<(Email, OffsetDateTime)>, sqlx::Error> {
    let taken = sqlx::query!(
        "update forgotten_passwords set try_at = $1 + greatest(make_interval(secs => $2), $1 - asked_at) where email = (
           select email from forgotten_passwords where try_at <= $1 order by try_at limit 1 for update skip locked)
         returning email, asked_at",
        now,
        pause.as_seconds_f64()
    );
    let Some(taken) = taken.fetch_optional(database).await? else { return Ok(None) };
    Ok(Some((taken.email.parse().map_err(malformed)?, taken.asked_at)))
}

/// There is nothing more to do for this address.
pub(crate) async fn forget(database: impl PgExecutor<'_>, email: &Email) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from forgotten_passwords where email = $1", email.as_str()).execute(database).await?;
    Ok(())
}
