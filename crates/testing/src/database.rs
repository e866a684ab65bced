//! PostgreSQL for one test.

use ecommerce_postgres::{Settings, migration};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};

use crate::{unique_name, variable};

/// A database with the roles that a stack's provisioning makes, migrated as a stack migrates it.
#[derive(Debug)]
pub struct Database {
    /// As the service logs in: it may read and write rows, and no more.
    pub settings: Settings,
    /// As the service logs in, for a test's own questions.
    pub pool: PgPool,
}

impl Database {
    /// A new database with all of `migrator`'s migrations.
    ///
    /// # Panics
    /// When no server answers, or a migration fails.
    pub async fn create(migrator: Migrator) -> Self {
        let server = variable("TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:15432/postgres");
        let name = unique_name();
        let mut connection = PgConnection::connect(&server)
            .await
            .unwrap_or_else(|error| panic!("no PostgreSQL for tests, `local/stores start` starts one: {error}"));
        for statement in [
            format!("create role {name}_owner nologin"),
            format!("create role {name}_service nologin"),
            format!("create role {name}_login login in role {name}_service"),
            format!("create database {name} owner {name}_owner"),
        ] {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.expect("prepare the server");
        }
        let (address, _) = server.rsplit_once('/').expect("TEST_DATABASE_URL names a database");
        let owner_url = format!("{address}/{name}");
        let mut connection = PgConnection::connect(&owner_url).await.expect("open the database");
        let privileges = format!(
            "alter schema public owner to {name}_owner;
             grant usage on schema public to {name}_service;
             alter default privileges for role {name}_owner grant usage on schemas to {name}_service;
             alter default privileges for role {name}_owner grant select, insert, update, delete on tables to {name}_service;
             alter default privileges for role {name}_owner grant usage on sequences to {name}_service;"
        );
        sqlx::raw_sql(AssertSqlSafe(privileges)).execute(&mut connection).await.expect("set the privileges");
        let as_owner = migration::Settings { database_url: owner_url.into(), database_owner: format!("{name}_owner") };
        migration::run(&as_owner, migrator).await.expect("migrate");

        let mut login = url::Url::parse(&server).expect("TEST_DATABASE_URL is an address");
        login.set_username(&format!("{name}_login")).expect("an address with a user");
        login.set_path(&name);
        let database_url: SecretString = login.to_string().into();
        let pool = PgPool::connect(database_url.expose_secret()).await.expect("log in as the service");
        Self { settings: Settings { database_url, database_max_connections: 8 }, pool }
    }
}
