//! PostgreSQL for one test.

use ecommerce_postgres::{Settings, migration};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};

use crate::{unique_name, variable};

/// The group of logins that `local/stores` has the server ask for their password; everybody else is let in without.
const ASKED: &str = "asked_for_a_password";

/// The address of the server that all tests share, for its superuser.
#[must_use]
pub fn server() -> String {
    variable("TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:15432/postgres")
}

/// A database with the roles that a stack's provisioning makes, migrated as a stack migrates it.
#[derive(Debug)]
pub struct Database {
    /// As the service logs in: it may read and write rows, and no more.
    pub settings: Settings,
    /// As a migration logs in.
    pub owner: migration::Settings,
    /// As the service logs in, for a test's own questions.
    pub pool: PgPool,
}

impl Database {
    /// A new database with all of `migrator`'s migrations.
    ///
    /// # Panics
    /// When no server answers, or a migration fails.
    pub async fn create(migrator: Migrator) -> Self {
        Self::create_on(&server(), migrator).await
    }

    /// The same on this server, whose address names a database and its superuser.
    ///
    /// # Panics
    /// As [`Self::create`].
    pub async fn create_on(server: &str, migrator: Migrator) -> Self {
        Box::pin(Self::create_with(server, "", migrator, None)).await
    }

    /// A new database from a dump, as plain SQL, of one that older migrations have made; with those of `migrator` that came since.
    ///
    /// # Panics
    /// As [`Self::create`], and when the dump is none.
    pub async fn restore(dump: &str, migrator: Migrator) -> Self {
        Box::pin(Self::create_with(&server(), dump, migrator, None)).await
    }

    /// The same, whose logins have this password and are asked for it.
    ///
    /// # Panics
    /// When no server answers, or a migration fails.
    pub async fn with_password(migrator: Migrator, password: &str) -> Self {
        Box::pin(Self::create_with(&server(), "", migrator, Some(password))).await
    }

    /// A pool as the service has one.
    ///
    /// # Panics
    /// Never: the address is one.
    #[must_use]
    pub fn service_pool(&self) -> ecommerce_postgres::Pool {
        ecommerce_postgres::Pool::new(&self.settings, "test").expect("an address")
    }

    /// Logs in as the tables' owner, for what a migration may and the service may not.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn as_owner(&self) -> PgConnection {
        log_in_as(&self.owner).await
    }

    async fn create_with(server: &str, dump: &str, migrator: Migrator, password: Option<&str>) -> Self {
        let name = unique_name();
        let mut connection = PgConnection::connect(server)
            .await
            .unwrap_or_else(|error| panic!("no PostgreSQL for tests, `local/stores start` starts one: {error}"));
        for statement in [
            format!("create role {name}_owner nologin"),
            format!("create role {name}_service nologin"),
            format!("create role {name}_migrate login noinherit in role {name}_owner"),
            format!("create role {name}_login login in role {name}_service"),
            format!("create database {name} owner {name}_owner"),
        ] {
            run(&mut connection, statement).await;
        }
        if let Some(password) = password {
            let literal = password.replace('\'', "''");
            for login in [format!("{name}_migrate"), format!("{name}_login")] {
                run(&mut connection, format!("alter role {login} password '{literal}'")).await;
                ask_for_password(&mut connection, &login).await;
            }
        }
        let (address, _) = server.rsplit_once('/').expect("TEST_DATABASE_URL names a database");
        let mut connection = PgConnection::connect(&format!("{address}/{name}")).await.expect("open the database");
        let privileges = format!(
            "alter schema public owner to {name}_owner;
             grant usage on schema public to {name}_service;
             alter default privileges for role {name}_owner grant usage on schemas to {name}_service;
             alter default privileges for role {name}_owner grant select, insert, update, delete on tables to {name}_service;
             alter default privileges for role {name}_owner grant usage on sequences to {name}_service;"
        );
        run(&mut connection, privileges).await;

        let url_of = |login: &str| {
            let mut url = url::Url::parse(server).expect("TEST_DATABASE_URL is an address");
            url.set_username(&format!("{name}_{login}")).expect("an address with a user");
            url.set_path(&name);
            url.to_string()
        };
        let password: Option<SecretString> = password.map(Into::into);
        let owner = migration::Settings {
            database_url: url_of("migrate").into(),
            database_password: password.clone(),
            database_ca_file: None,
            database_owner: format!("{name}_owner"),
        };
        run(&mut log_in_as(&owner).await, dump.to_owned()).await;
        migration::run(&owner, migrator).await.expect("migrate");
        let mut options: PgConnectOptions = url_of("login").parse().expect("an address");
        if let Some(password) = &password {
            options = options.password(password.expose_secret());
        }
        let pool = PgPool::connect_with(options).await.expect("log in as the service");
        let settings = Settings {
            database_url: url_of("login").into(),
            database_password: password,
            database_ca_file: None,
            database_max_connections: 8,
        };
        Self { settings, owner, pool }
    }
}

/// From now on the server asks this login for its password.
///
/// # Panics
/// When the server is not told to by its rules, or refuses.
pub async fn ask_for_password(server: &mut PgConnection, login: &str) {
    let rule = sqlx::query_scalar("select exists (select from pg_hba_file_rules where user_name = array['+' || $1])");
    let is_asked: bool = rule.bind(ASKED).fetch_one(&mut *server).await.expect("read the server's rules");
    assert!(is_asked, "the server asks nobody for a password, `local/stores start` tells it to");
    // Another test may make the group at the same time.
    let make =
        "create role asked_for_a_password nologin; exception when duplicate_object or unique_violation then null;";
    run(server, format!("do $$ begin {make} end $$; grant {ASKED} to \"{login}\"")).await;
}

async fn log_in_as(owner: &migration::Settings) -> PgConnection {
    let mut options: PgConnectOptions = owner.database_url.expose_secret().parse().expect("an address");
    if let Some(password) = &owner.database_password {
        options = options.password(password.expose_secret());
    }
    let mut connection = PgConnection::connect_with(&options).await.expect("log in as a migration");
    run(&mut connection, format!("set role {}", owner.database_owner)).await;
    connection
}

async fn run(connection: &mut PgConnection, statements: String) {
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(connection).await.expect("prepare the server");
}
