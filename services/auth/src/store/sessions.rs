//! The table `sessions`: where it is known for sure which stand, and what Redis has to get to know of them.

use std::net::IpAddr;

use ecommerce_postgres::Pool;
use ecommerce_postgres::housekeeping::BATCH;
use ecommerce_redis::Session;
use ecommerce_types::{Roles, SessionId, UserId};
use sqlx::{PgConnection, PgExecutor};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::roles;
use crate::domain::{Client, SessionView};
use crate::store::accounts::Account;

/// Sessions of one user that stand at once; the one that began first ends for one more.
const MOST: i64 = 20;

/// How long a session that somebody has ended is kept, so that a late look-up finds it.
const KEPT_ENDED: Duration = Duration::days(1);

/// What Redis is to know of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) id: SessionId,
    /// `None` when it has ended.
    pub(crate) stands: Option<Session>,
}

impl Change {
    /// These have ended.
    pub(crate) fn endings(ids: Vec<SessionId>) -> Vec<Self> {
        ids.into_iter().map(|id| Self { id, stands: None }).collect()
    }
}

struct ChangeRow {
    id: Uuid,
    user_id: Uuid,
    roles_version: i32,
    has_ended: bool,
}

impl From<ChangeRow> for Change {
    fn from(row: ChangeRow) -> Self {
        let session = Session { user_id: row.user_id.into(), roles_version: row.roles_version };
        Self { id: row.id.into(), stands: (!row.has_ended).then_some(session) }
    }
}

/// A session that stands, and whose token is asked for.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) user_id: UserId,
    pub(crate) roles: Roles,
    pub(crate) roles_version: i32,
    /// Of the refresh token that is good, and since when it is.
    pub(crate) generation: i32,
    pub(crate) refreshed_at: OffsetDateTime,
}

/// A session that stands at `now`, of a user who may log in.
pub(crate) async fn standing(
    database: impl PgExecutor<'_>,
    id: SessionId,
    now: OffsetDateTime,
) -> Result<Option<Standing>, sqlx::Error> {
    let row = sqlx::query!(
        "select user_id, roles, roles_version, generation, refreshed_at
         from sessions join users on users.id = sessions.user_id
         where sessions.id = $1 and ended_at is null and expires_at > $2 and disabled_at is null",
        id.0,
        now
    )
    .fetch_optional(database)
    .await?;
    row.map(|row| {
        Ok(Standing {
            user_id: row.user_id.into(),
            roles: roles(&row.roles)?,
            roles_version: row.roles_version,
            generation: row.generation,
            refreshed_at: row.refreshed_at,
        })
    })
    .transpose()
}

/// Whether a session still stands, with the roles of then.
pub(crate) async fn stands_as(
    database: impl PgExecutor<'_>,
    id: SessionId,
    standing: &Standing,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let stands = sqlx::query_scalar!(
        r#"select exists (
             select from sessions join users on users.id = user_id
             where sessions.id = $1 and ended_at is null and expires_at > $3 and roles_version = $2 and disabled_at is null
           ) as "stands!""#,
        id.0,
        standing.roles_version,
        now
    );
    stands.fetch_one(database).await
}

/// The sessions of a user that stand at `now`, newest first.
pub(crate) async fn of_user(
    database: impl PgExecutor<'_>,
    user: UserId,
    now: OffsetDateTime,
) -> Result<Vec<SessionView>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, created_at, refreshed_at, expires_at, address, user_agent from sessions
         where user_id = $1 and ended_at is null and expires_at > $2
         order by created_at desc, id desc",
        user.0,
        now
    )
    .fetch_all(database)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| SessionView {
            id: row.id.into(),
            created_at: row.created_at,
            refreshed_at: row.refreshed_at,
            expires_at: row.expires_at,
            address: row.address.and_then(|address| address.parse::<IpAddr>().ok()),
            user_agent: row.user_agent,
            is_present: false,
        })
        .collect())
}

/// Up to `limit` changes that Redis does not know of, newest first.
pub(crate) async fn unpublished(database: impl PgExecutor<'_>, limit: i64) -> Result<Vec<Change>, sqlx::Error> {
    let rows = sqlx::query_as!(
        ChangeRow,
        r#"select sessions.id, user_id, roles_version, ended_at is not null as "has_ended!"
           from sessions join users on users.id = sessions.user_id
           where unpublished order by greatest(ended_at, roles_changed_at) desc nulls last limit $1"#,
        limit
    )
    .fetch_all(database)
    .await?;
    Ok(rows.into_iter().map(Change::from).collect())
}

/// The changes since then of sessions that Redis may hold, newest first, whether it knows of them or not.
pub(crate) async fn changed_since(
    database: impl PgExecutor<'_>,
    since: OffsetDateTime,
) -> Result<Vec<Change>, sqlx::Error> {
    let rows = sqlx::query_as!(
        ChangeRow,
        r#"select id as "id!", user_id as "user_id!", roles_version as "roles_version!", has_ended as "has_ended!" from (
             select sessions.id, user_id, roles_version, true as has_ended, ended_at as at
             from sessions join users on users.id = user_id where ended_at > $1 and refreshed_at > $1
             union all
             select sessions.id, user_id, roles_version, false, roles_changed_at
             from users join sessions on users.id = user_id
             where roles_changed_at > $1 and ended_at is null and refreshed_at > $1
           ) as changed order by at desc"#,
        since
    )
    .fetch_all(database)
    .await?;
    Ok(rows.into_iter().map(Change::from).collect())
}

/// Begins a session of whoever has proven this account's password, and ends those that are one too many; `None` where the
/// account is no more what was proven. For a transaction of its own.
pub(crate) async fn begin(
    transaction: &mut PgConnection,
    id: SessionId,
    account: &Account,
    client: &Client,
    now: OffsetDateTime,
    expires_at: OffsetDateTime,
) -> Result<Option<Vec<SessionId>>, sqlx::Error> {
    let since = account.password.as_ref().map(|(_, since)| *since);
    let same = sqlx::query_scalar!(
        "select id from users where id = $1 and password_changed_at = $2 and roles_version = $3 and disabled_at is null
         for update",
        account.id.0,
        since,
        account.roles_version
    );
    if same.fetch_optional(&mut *transaction).await?.is_none() {
        return Ok(None);
    }
    let ended = sqlx::query_scalar!(
        "with begun as (
           insert into sessions (id, user_id, created_at, expires_at, refreshed_at, address, user_agent)
           values ($1, $2, $3, $4, $3, $5, $6)
         )
         update sessions set ended_at = $3, unpublished = true where id in (
           select id from sessions where user_id = $2 and ended_at is null and expires_at > $3
           order by created_at desc, id desc offset $7 for update)
         returning id",
        id.0,
        account.id.0,
        now,
        expires_at,
        client.address.map(|address| address.to_string()),
        client.user_agent,
        MOST - 1
    );
    Ok(Some(ended.fetch_all(transaction).await?.into_iter().map(SessionId).collect()))
}

/// Makes the next refresh token the good one; false where this generation is no more, the session has ended, or the user's
/// roles are newer.
pub(crate) async fn rotate(
    database: impl PgExecutor<'_>,
    id: SessionId,
    standing: &Standing,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let rotated = sqlx::query!(
        "update sessions set generation = generation + 1, refreshed_at = $4 from users
         where sessions.id = $1 and generation = $2 and ended_at is null and expires_at > $4
           and users.id = user_id and roles_version = $3 and disabled_at is null",
        id.0,
        standing.generation,
        standing.roles_version,
        now
    );
    Ok(rotated.execute(database).await?.rows_affected() == 1)
}

/// Ends a session of this user; false when it had ended before, or there is none.
pub(crate) async fn end(
    database: impl PgExecutor<'_>,
    id: SessionId,
    user: UserId,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let ended = sqlx::query!(
        "update sessions set ended_at = $3, unpublished = true where id = $1 and user_id = $2 and ended_at is null",
        id.0,
        user.0,
        now
    );
    Ok(ended.execute(database).await?.rows_affected() == 1)
}

/// Ends all sessions of a user, but for the one that is kept.
pub(crate) async fn end_all(
    database: impl PgExecutor<'_>,
    user: UserId,
    kept: Option<SessionId>,
    now: OffsetDateTime,
) -> Result<Vec<SessionId>, sqlx::Error> {
    let ended = sqlx::query_scalar!(
        "update sessions set ended_at = $3, unpublished = true
         where user_id = $1 and id is distinct from $2 and ended_at is null and expires_at > $3
         returning id",
        user.0,
        kept.map(|id| id.0),
        now
    );
    Ok(ended.fetch_all(database).await?.into_iter().map(SessionId).collect())
}

/// Redis has to get to know that this user's roles are others; answers of which sessions. Of all that stand, so that a refresh of
/// any of them waits for it, or is waited for.
pub(crate) async fn republish(database: impl PgExecutor<'_>, user: UserId) -> Result<Vec<Change>, sqlx::Error> {
    let rows = sqlx::query_as!(
        ChangeRow,
        r#"update sessions set unpublished = true from users
           where user_id = $1 and users.id = user_id and ended_at is null
           returning sessions.id, user_id, roles_version, false as "has_ended!""#,
        user.0
    )
    .fetch_all(database)
    .await?;
    Ok(rows.into_iter().map(Change::from).collect())
}

/// Redis knows of these changes; what has changed again meanwhile is still to be published.
pub(crate) async fn mark_published(database: impl PgExecutor<'_>, changes: &[Change]) -> Result<(), sqlx::Error> {
    let (ids, versions): (Vec<Uuid>, Vec<Option<i32>>) =
        changes.iter().map(|change| (change.id.0, change.stands.map(|session| session.roles_version))).unzip();
    sqlx::query!(
        "update sessions set unpublished = false
         from unnest($1::uuid[], $2::integer[]) as told (id, roles_version), users
         where sessions.id = told.id and users.id = user_id
           and (told.roles_version is null or ended_at is null and users.roles_version = told.roles_version)",
        &ids,
        &versions as &[Option<i32>]
    )
    .execute(database)
    .await?;
    Ok(())
}

/// Takes out up to [`BATCH`] sessions that are over since a while; answers how many there were.
pub(crate) async fn forget_old(pool: Pool, now: OffsetDateTime) -> Result<u64, sqlx::Error> {
    let forgotten = sqlx::query!(
        "delete from sessions where id in (
           select id from sessions where expires_at < $1 or ended_at < $2 limit $3 for update skip locked)",
        now,
        now - KEPT_ENDED,
        BATCH.cast_signed()
    );
    Ok(forgotten.execute(&pool).await?.rows_affected())
}
