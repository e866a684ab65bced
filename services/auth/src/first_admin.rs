//! The first admin: the one user that nobody registers. Made with the tables, before anyone is served, with the password that stands in
//! the Secret. What was applied from there is remembered: another password there is the admin's from then on; while it is the same,
//! whoever has changed theirs since keeps the new one.

use clap::{ArgMatches, Args as _, FromArgMatches as _};
use ecommerce_process::{Failure, Seed};
use ecommerce_types::{Clock, Email, Role, UserId};
use futures::FutureExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{Connection as _, PgConnection};

use crate::domain::{Memory, Password, PasswordAttempt, PasswordHash, PersonName, Policy, User};
use crate::store::accounts::{self, Account};
use crate::store::{first_admins, password_resets, sessions, users};

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
    /// The password of the first admin; another one than the last time is set in place of the admin's.
    #[arg(long, env = "ADMIN_PASSWORD", hide_env_values = true, requires = "admin_email")]
    pub admin_password: Option<SecretString>,
    /// The shop's name, of which a password is not made.
    #[arg(long, env = "TOKEN_AUDIENCE", default_value = "")]
    pub token_audience: String,
}

async fn sow(matches: ArgMatches, connection: PgConnection) -> Result<Option<String>, Failure> {
    apply(&Settings::from_arg_matches(&matches)?, connection, &Clock::system()).await
}

/// Makes the admin, or gives them the password that is new in the Secret; answers what a person has to know and do.
///
/// # Errors
/// When the password breaks the rules that everybody's has to keep, or the database does not do its part. Nothing is changed then.
pub async fn apply(
    settings: &Settings,
    mut connection: PgConnection,
    clock: &Clock,
) -> Result<Option<String>, Failure> {
    let (Some(email), Some(password)) = (&settings.admin_email, &settings.admin_password) else { return Ok(None) };
    let secret = Secret { password, shop: &settings.token_audience };
    let mut transaction = connection.begin().await?;
    first_admins::lock(&mut transaction).await?;
    let id = match accounts::with_email(&mut *transaction, email).await? {
        None => make(&mut transaction, email, &secret, clock).await?,
        Some(account) if !account.roles.include(Role::Admin) => return Ok(Some(OF_SOMEBODY_ELSE.to_owned())),
        Some(account) => {
            keep_up(&mut transaction, &account, &secret, clock).await?;
            account.id
        }
    };
    let earlier = first_admins::earlier(&mut *transaction, id).await?;
    transaction.commit().await?;
    Ok((!earlier.is_empty()).then(|| of_earlier(&earlier)))
}

async fn make(
    transaction: &mut PgConnection,
    email: &Email,
    secret: &Secret<'_>,
    clock: &Clock,
) -> Result<UserId, Failure> {
    let user = User {
        id: UserId::new(clock),
        email: email.clone(),
        name: PersonName::try_from("Admin".to_owned())?,
        roles: Role::Admin.into(),
        created_at: clock.now(),
        disabled_at: None,
    };
    let hash = secret.hash(&user.email, &user.name)?;
    users::insert(&mut *transaction, &user, Some(&hash)).await?;
    first_admins::record(transaction, user.id, &hash, user.created_at).await?;
    tracing::info!(user.id = %user.id, "made the first admin");
    Ok(user.id)
}

/// Gives an admin the password that is new in the Secret, as a change of it by themselves does.
async fn keep_up(
    transaction: &mut PgConnection,
    account: &Account,
    secret: &Secret<'_>,
    clock: &Clock,
) -> Result<(), Failure> {
    let now = clock.now();
    let Some(applied) = first_admins::applied(&mut *transaction, account.id).await? else {
        // Nobody knows what was applied before: from now on it is known, and theirs is left to them.
        return Ok(first_admins::record(transaction, account.id, &secret.hash_of_any()?, now).await?);
    };
    if secret.fits(&applied)? {
        return Ok(());
    }
    let hash = secret.hash(&account.email, &account.name)?;
    let before = account.password.as_ref().map(|(_, since)| *since);
    if !accounts::set_password(&mut *transaction, account.id, before, &hash, now).await? {
        return Err("the admin has changed the password in this very moment".into());
    }
    password_resets::withdraw(&mut *transaction, account.id).await?;
    // The service that runs tells Redis of it.
    let ended = sessions::end_all(&mut *transaction, account.id, None, now).await?;
    first_admins::record(transaction, account.id, &hash, now).await?;
    tracing::info!(user.id = %account.id, sessions = ended.len(), "gave the admin the password of the secret and ended all sessions");
    Ok(())
}

/// What stands in the Secret, in the shop whose name is no part of it.
struct Secret<'a> {
    password: &'a SecretString,
    shop: &'a str,
}

impl Secret<'_> {
    /// The hash of what these rules let be this person's password.
    fn hash(&self, email: &Email, name: &PersonName) -> Result<PasswordHash, Failure> {
        let refused = |error| format!("ADMIN_PASSWORD, the key password of the Secret <stack>-admin: {error}");
        let password = Password::try_from(self.password.expose_secret().to_owned()).map_err(refused)?;
        Policy::new(self.shop).check(&password, email, name).map_err(refused)?;
        Ok(password.hash(&mut Memory::default())?)
    }

    /// The hash of whatever it is, which becomes nobody's password.
    fn hash_of_any(&self) -> Result<PasswordHash, Failure> {
        Ok(self.attempt().hash(&mut Memory::default())?)
    }

    fn fits(&self, hash: &PasswordHash) -> Result<bool, Failure> {
        Ok(self.attempt().fits(hash, &mut Memory::default())?)
    }

    fn attempt(&self) -> PasswordAttempt {
        self.password.expose_secret().to_owned().into()
    }
}

fn of_earlier(addresses: &[Email]) -> String {
    let addresses = addresses.iter().map(Email::as_str).collect::<Vec<_>>().join(", ");
    format!(
        "the earlier first admin {addresses} still is an admin, with a password that stood in the Secret <stack>-admin: disable or delete that user, take the role away, or set another password"
    )
}
