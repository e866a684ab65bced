//! The table `holders`: which processes live, and so which attempts have somebody who is at them.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// Says that this process lives until then, and forgets those that have been dead for long.
pub(crate) async fn live(
    connection: &mut PgConnection,
    holder: Uuid,
    until: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with forgotten as (delete from holders where alive_until < $3::timestamptz - interval '1 hour')
         insert into holders (holder, alive_until) values ($1, $2)
         on conflict (holder) do update set alive_until = excluded.alive_until",
        holder,
        until,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Says that this process is at its end: others may take over what it leaves, at once.
pub(crate) async fn leave(connection: &mut PgConnection, holder: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from holders where holder = $1", holder).execute(connection).await?;
    Ok(())
}
