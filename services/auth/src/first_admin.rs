//! The first admin: the one user that nobody registers. Made with the tables, before anyone is served, and never changed:
//! whoever has changed the password since keeps the new one.

use clap::{ArgMatches, Args as _, FromArgMatches as _};
use ecommerce_process::{Failure, Seed};
use ecommerce_types::{Clock, Email, Role, UserId};
use futures::FutureExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::PgConnection;

use crate::Error;
use crate::domain::{Memory, Password, PasswordHash, PersonName, Policy, User};
use crate::store::{accounts, users};

/// Whoever has registered an address has not proven that it is theirs: so nobody is made an admin for it.
const OF_SOMEBODY_ELSE: &str = "spec.admin.email is the address of a user who is no admin: set it to an address that nobody has registered, or have an admin give that user the role";

/// Makes the first admin after each migration, where there is no such user.
pub const FIRST_ADMIN: Seed =
    Seed { arguments: Settings::augment_args, sow: |matches, connection| sow(matches, connection).boxed_local() };

/// Who the first admin is.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)] // every crate calls its own `Settings`
pub struct Settings {
    /// The address that the first admin logs in with; nobody is made when absent.
    #[arg(long, env = "ADMIN_EMAIL", requires = "admin_password")]
    pub admin_email: Option<Email>,
    /// The password of the first admin.
    #[arg(long, env = "ADMIN_PASSWORD", hide_env_values = true, requires = "admin_email")]
    pub admin_password: Option<SecretString>,
    /// The shop's name, of which a password is not made.
    #[arg(long, env = "TOKEN_AUDIENCE", default_value = "")]
    pub token_audience: String,
}

async fn sow(matches: ArgMatches, connection: PgConnection) -> Result<Option<String>, Failure> {
    make(&Settings::from_arg_matches(&matches)?, connection, &Clock::system()).await
}

/// Makes the user; answers what a person has to know and do where somebody else has the address.
///
/// # Errors
/// When the password breaks the rules that everybody's has to keep, or the database does not do its part.
pub async fn make(settings: &Settings, mut connection: PgConnection, clock: &Clock) -> Result<Option<String>, Failure> {
    let (Some(email), Some(password)) = (&settings.admin_email, &settings.admin_password) else { return Ok(None) };
    if let Some(account) = accounts::with_email(&mut connection, email).await? {
        return Ok((!account.roles.include(Role::Admin)).then(|| OF_SOMEBODY_ELSE.to_owned()));
    }
    let user = User {
        id: UserId::new(clock),
        email: email.clone(),
        name: PersonName::try_from("Admin".to_owned())?,
        roles: Role::Admin.into(),
        created_at: clock.now(),
        disabled_at: None,
    };
    let password_hash =
        hash(password, &user, &settings.token_audience).map_err(|error| format!("ADMIN_PASSWORD: {error}"))?;
    match users::insert(&mut connection, &user, Some(&password_hash)).await {
        Ok(()) => tracing::info!(user.id = %user.id, "made the first admin"),
        // Another migration was quicker.
        Err(Error::EmailTaken) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(None)
}

fn hash(password: &SecretString, user: &User, shop: &str) -> Result<PasswordHash, Failure> {
    let password = Password::try_from(password.expose_secret().to_owned())?;
    Policy::new(shop).check(&password, &user.email, &user.name)?;
    Ok(password.hash(&mut Memory::default())?)
}
