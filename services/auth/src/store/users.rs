//! The table `users` as the shop sees it: people and what they may do.

use ecommerce_postgres::OnConstraint as _;
use ecommerce_types::{Limit, Page, Role, Roles, SessionId, UserId};
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{malformed, names, roles};
use crate::Error;
use crate::domain::{PasswordHash, PersonName, User};

struct Row {
    id: Uuid,
    email: String,
    name: String,
    roles: Vec<String>,
    created_at: OffsetDateTime,
    disabled_at: Option<OffsetDateTime>,
}

impl TryFrom<Row> for User {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.id.into(),
            email: row.email.try_into().map_err(malformed)?,
            name: PersonName::try_from(row.name).map_err(malformed)?,
            roles: roles(&row.roles)?,
            created_at: row.created_at,
            disabled_at: row.disabled_at,
        })
    }
}

/// The user of a session that stands at `now`.
pub(crate) async fn of_session(
    database: impl PgExecutor<'_>,
    session: SessionId,
    user: UserId,
    now: OffsetDateTime,
) -> Result<Option<User>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"select users.id, email as "email!", name as "name!", roles, users.created_at, disabled_at
           from sessions join users on users.id = sessions.user_id
           where sessions.id = $1 and users.id = $2 and ended_at is null and expires_at > $3"#,
        session.0,
        user.0,
        now
    )
    .fetch_optional(database)
    .await?;
    row.map(User::try_from).transpose()
}

/// A user whose account is somebody's.
pub(crate) async fn find(database: impl PgExecutor<'_>, id: UserId) -> Result<Option<User>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"select id, email as "email!", name as "name!", roles, created_at, disabled_at
           from users where id = $1 and deleted_at is null"#,
        id.0
    )
    .fetch_optional(database)
    .await?;
    row.map(User::try_from).transpose()
}

/// Which users a list shows.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// Part of the address or the name, in lower case; all of them when empty.
    pub(crate) text: String,
    /// Those that have been given this role.
    pub(crate) role: Option<Role>,
}

/// A page of users, newest first, older than `after`.
pub(crate) async fn page(
    database: impl PgExecutor<'_>,
    filter: &Filter,
    after: Option<UserId>,
    limit: Limit,
) -> Result<Page<User>, sqlx::Error> {
    // An id that is larger than all: the first page.
    let after = after.map_or(Uuid::max(), Uuid::from);
    let rows = sqlx::query_as!(
        Row,
        r#"select id, email as "email!", name as "name!", roles, created_at, disabled_at
           from users
           where id < $1 and deleted_at is null
             and ($2 = '' or strpos(email, $2) > 0 or strpos(lower(name), $2) > 0)
             and ($3::text is null or $3 = any (roles))
           order by id desc limit $4"#,
        after,
        filter.text,
        filter.role.map(Role::as_str),
        limit.and_one_more()
    )
    .fetch_all(database)
    .await?;
    let users = rows.into_iter().map(User::try_from).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::of(users, limit, |user| user.id))
}

/// Adds a user with the first version of its roles; refuses an address that is taken.
pub(crate) async fn insert(
    database: impl PgExecutor<'_>,
    user: &User,
    password_hash: Option<&PasswordHash>,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into users (id, email, name, password_hash, password_changed_at, roles, created_at)
         values ($1, $2, $3, $4, case when $4::text is not null then $6::timestamptz end, $5, $6)",
        user.id.0,
        user.email.as_str(),
        user.name.as_str(),
        password_hash.map(PasswordHash::as_str),
        &names(&user.roles),
        user.created_at
    )
    .execute(database)
    .await
    .on_constraint("users_email_taken", || Error::EmailTaken)?;
    Ok(())
}

/// Locks the user until the end of the transaction, and with them everybody who can be an admin, so that of two who would both
/// take the last one away one waits for the other.
///
/// # Errors
/// Where there is no such user.
pub(crate) async fn lock_among_admins(transaction: &mut PgConnection, id: UserId) -> Result<LockedUser, Error> {
    let admins = sqlx::query_scalar!(
        "select id from users where 'admin' = any (roles) and disabled_at is null and password_hash is not null
         order by id for update"
    )
    .fetch_all(&mut *transaction)
    .await?;
    let found = sqlx::query_scalar!("select roles from users where id = $1 and deleted_at is null for update", id.0);
    let held = found.fetch_optional(transaction).await?.ok_or(Error::UserNotFound)?;
    Ok(LockedUser { is_last_admin: admins == [id.0], roles: roles(&held)? })
}

/// What is known of a user for as long as nobody else changes it.
#[derive(Debug)]
pub(crate) struct LockedUser {
    /// Nobody else can be an admin.
    pub(crate) is_last_admin: bool,
    pub(crate) roles: Roles,
}

/// Gives a user other roles, in another version.
pub(crate) async fn change_roles(
    transaction: &mut PgConnection,
    id: UserId,
    to: &Roles,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update users set roles = $2, roles_version = roles_version + 1, roles_changed_at = $3 where id = $1",
        id.0,
        &names(to),
        now
    )
    .execute(transaction)
    .await?;
    Ok(())
}

/// From now on nobody logs in with the account; what was disabled before stays so since then.
pub(crate) async fn disable(
    transaction: &mut PgConnection,
    id: UserId,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    let disable = sqlx::query!("update users set disabled_at = coalesce(disabled_at, $2) where id = $1", id.0, now);
    disable.execute(transaction).await?;
    Ok(())
}

/// From now on somebody may log in with the account again, where it is somebody's.
pub(crate) async fn enable(database: impl PgExecutor<'_>, id: UserId) -> Result<(), sqlx::Error> {
    let enable = sqlx::query!("update users set disabled_at = null where id = $1 and deleted_at is null", id.0);
    enable.execute(database).await?;
    Ok(())
}

/// Takes the person out of the account: address, name and password are gone, and the id stays for what was bought under it.
pub(crate) async fn delete(transaction: &mut PgConnection, id: UserId, now: OffsetDateTime) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update users set email = null, name = null, password_hash = null, password_changed_at = null,
           roles = '{customer}', roles_version = roles_version + 1, roles_changed_at = $2, deleted_at = $2
         where id = $1",
        id.0,
        now
    )
    .execute(&mut *transaction)
    .await?;
    // What a deleted person's client has told of itself goes as well.
    sqlx::query!("update sessions set address = null, user_agent = null where user_id = $1", id.0)
        .execute(transaction)
        .await?;
    Ok(())
}
