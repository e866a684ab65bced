//! The table `users`.

use ecommerce_postgres::OnConstraint as _;
use ecommerce_types::{Email, Invalid, Roles, SessionId, UserId};
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::Error;
use crate::domain::password::HashError;
use crate::domain::{Cost, PasswordHash, PersonName, User};

/// What a login needs to know of a user.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: UserId,
    /// What the password is compared with.
    pub(crate) password_hash: PasswordHash,
    /// What the user may do.
    pub(crate) roles: Roles,
    /// The version of these roles.
    pub(crate) roles_version: i32,
}

/// The account with this address.
pub(crate) async fn account(database: impl PgExecutor<'_>, email: &Email) -> Result<Option<Account>, sqlx::Error> {
    let row =
        sqlx::query!("select id, password_hash, roles, roles_version from users where email = $1", email.as_str())
            .fetch_optional(database)
            .await?;
    row.map(|row| {
        Ok(Account {
            id: row.id.into(),
            password_hash: row.password_hash.into(),
            roles: roles(&row.roles).map_err(malformed)?,
            roles_version: row.roles_version,
        })
    })
    .transpose()
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
        "select users.id, email, name, roles, users.created_at
         from sessions join users on users.id = sessions.user_id
         where sessions.id = $1 and users.id = $2 and ended_at is null and expires_at > $3",
        session.0,
        user.0,
        now
    )
    .fetch_optional(database)
    .await?;
    row.map(User::try_from).transpose()
}

/// The cost that most passwords were hashed at; `None` where there are none.
pub(crate) async fn commonest_cost(database: impl PgExecutor<'_>) -> Result<Option<Cost>, Error> {
    let cost = sqlx::query_scalar!(
        r#"select split_part(password_hash, '$', 4) as "cost!" from users group by 1 order by count(*) desc limit 1"#
    )
    .fetch_optional(database)
    .await?;
    Ok(cost.map(|cost| cost.parse().map_err(HashError::from)).transpose()?)
}

/// Adds a user with the first version of its roles; refuses an address that is taken.
pub(crate) async fn insert(
    database: impl PgExecutor<'_>,
    user: &User,
    password_hash: &PasswordHash,
) -> Result<(), Error> {
    let roles: Vec<String> = user.roles.iter().map(|role| role.as_str().to_owned()).collect();
    sqlx::query!(
        "insert into users (id, email, name, password_hash, roles, created_at) values ($1, $2, $3, $4, $5, $6)",
        user.id.0,
        user.email.as_str(),
        user.name.as_str(),
        password_hash.as_str(),
        &roles,
        user.created_at
    )
    .execute(database)
    .await
    .on_constraint("users_email_taken", || Error::EmailTaken)?;
    Ok(())
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

struct Row {
    id: Uuid,
    email: String,
    name: String,
    roles: Vec<String>,
    created_at: OffsetDateTime,
}

impl TryFrom<Row> for User {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.id.into(),
            email: row.email.try_into().map_err(malformed)?,
            name: PersonName::try_from(row.name).map_err(malformed)?,
            roles: roles(&row.roles).map_err(malformed)?,
            created_at: row.created_at,
        })
    }
}

fn roles(names: &[String]) -> Result<Roles, Invalid> {
    names.iter().map(|name| name.parse()).collect()
}

fn malformed(error: Invalid) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
