//! The table `users` as a login sees it: passwords and what they open.

use ecommerce_types::{Email, Roles, UserId};
use sqlx::PgExecutor;
use time::OffsetDateTime;

use super::{malformed, roles};
use crate::Error;
use crate::domain::password::HashError;
use crate::domain::{Cost, PasswordHash, PersonName};

/// What a login needs to know of a user.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: UserId,
    /// What the person is called: no part of a password.
    pub(crate) name: PersonName,
    /// The address: no part of a password.
    pub(crate) email: Email,
    /// What the password is compared with, and since when; where there is one, and somebody may log in with it.
    pub(crate) password: Option<(PasswordHash, OffsetDateTime)>,
    /// What the user may do.
    pub(crate) roles: Roles,
    /// The version of these roles.
    pub(crate) roles_version: i32,
    pub(crate) is_disabled: bool,
}

struct Row {
    id: uuid::Uuid,
    email: String,
    name: String,
    password_hash: Option<String>,
    password_changed_at: Option<OffsetDateTime>,
    roles: Vec<String>,
    roles_version: i32,
    is_disabled: bool,
}

impl TryFrom<Row> for Account {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let password = row.password_hash.zip(row.password_changed_at);
        Ok(Self {
            id: row.id.into(),
            name: row.name.try_into().map_err(malformed)?,
            email: row.email.try_into().map_err(malformed)?,
            password: password.map(|(hash, since)| (hash.into(), since)),
            roles: roles(&row.roles)?,
            roles_version: row.roles_version,
            is_disabled: row.is_disabled,
        })
    }
}

/// The account with this address.
pub(crate) async fn with_email(database: impl PgExecutor<'_>, email: &Email) -> Result<Option<Account>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"select id, email as "email!", name as "name!", password_hash, password_changed_at, roles, roles_version,
             disabled_at is not null as "is_disabled!"
           from users where email = $1"#,
        email.as_str()
    )
    .fetch_optional(database)
    .await?;
    row.map(Account::try_from).transpose()
}

/// The account of a user.
pub(crate) async fn of(database: impl PgExecutor<'_>, id: UserId) -> Result<Option<Account>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"select id, email as "email!", name as "name!", password_hash, password_changed_at, roles, roles_version,
             disabled_at is not null as "is_disabled!"
           from users where id = $1 and deleted_at is null"#,
        id.0
    )
    .fetch_optional(database)
    .await?;
    row.map(Account::try_from).transpose()
}

/// The cost that most passwords were hashed at; `None` where there are none.
pub(crate) async fn commonest_cost(database: impl PgExecutor<'_>) -> Result<Option<Cost>, Error> {
    let cost = sqlx::query_scalar!(
        r#"select split_part(password_hash, '$', 4) as "cost!" from users
           where password_hash is not null group by 1 order by count(*) desc limit 1"#
    )
    .fetch_optional(database)
    .await?;
    Ok(cost.map(|cost| cost.parse().map_err(HashError::from)).transpose()?)
}

/// Keeps another hash of the same password, unless the password has changed meanwhile.
pub(crate) async fn replace_hash(
    database: impl PgExecutor<'_>,
    id: UserId,
    old: &PasswordHash,
    new: &PasswordHash,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update users set password_hash = $3 where id = $1 and password_hash = $2",
        id.0,
        old.as_str(),
        new.as_str()
    )
    .execute(database)
    .await?;
    Ok(())
}

/// Sets a password in place of the one that was set at `before`; false where another one has been set since, or nobody has the
/// account any more.
pub(crate) async fn set_password(
    database: impl PgExecutor<'_>,
    id: UserId,
    before: Option<OffsetDateTime>,
    hash: &PasswordHash,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let set = sqlx::query!(
        "update users set password_hash = $3, password_changed_at = $4
         where id = $1 and deleted_at is null and password_changed_at is not distinct from $2",
        id.0,
        before,
        hash.as_str(),
        now
    );
    Ok(set.execute(database).await?.rows_affected() == 1)
}
