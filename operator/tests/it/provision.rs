//! Provisioning against a real PostgreSQL: who may do what afterwards, and that running it again changes nothing.

use std::path::PathBuf;
use std::time::Duration;

use ecommerce_testing::ANY_PASSWORD;
use ecommerce_testing::database::ask_for_password;
use ecommerce_types::Clock;
use operator::names::{Backend, Names};
use operator::provision::plan::{Database, Login, Plan};
use operator::provision::{Files, provision};
use operator::resolve::{Embedded, Location};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Executor as _, PgConnection};

/// For a server of others that does not answer.
const PATIENCE: Duration = Duration::from_secs(2);

struct Server {
    plan: Plan,
    passwords: PathBuf,
    files: Files,
    options: PgConnectOptions,
}

/// The test server with a namespace that is this test's own.
fn server(test: &str) -> Server {
    let url = std::env::var("TEST_DATABASE_URL");
    let url = url.unwrap_or_else(|_| "postgres://postgres@127.0.0.1:15432/postgres".to_owned());
    let options: PgConnectOptions = url.parse().unwrap();
    let names = Names::new(&format!("{test}-{}", std::process::id()), "shop");
    let mut location = Location::embedded(&names, Backend::Postgres, Embedded::default());
    options.get_host().clone_into(&mut location.host);
    location.port = options.get_port();
    let mut plan = Plan::new(&names, &location);
    plan.databases.truncate(2);
    let passwords = std::env::temp_dir().join(format!("operator-{test}-{}", std::process::id()));
    std::fs::create_dir_all(&passwords).unwrap();
    let logins = plan.databases.iter().flat_map(|database| [&database.migrate, &database.serve]);
    for login in logins.chain([&plan.administrator]) {
        std::fs::write(passwords.join(&login.password), format!("password of {}", login.role)).unwrap();
    }
    let files = Files { credentials: passwords.clone(), stores: passwords.join("stores"), patience: PATIENCE };
    Server { plan, passwords, files, options }
}

impl Server {
    async fn provision(&self) -> std::collections::BTreeMap<String, uuid::Uuid> {
        provision(&self.plan, &self.files, &Clock::system()).await.unwrap()
    }

    async fn log_in(&self, login: &Login, database: &Database) -> Result<PgConnection, sqlx::Error> {
        let password = std::fs::read_to_string(self.passwords.join(&login.password)).unwrap();
        self.options.clone().username(&login.role).password(&password).database(&database.name).connect().await
    }

    async fn forget(self) {
        let mut server = self.options.connect().await.unwrap();
        for database in &self.plan.databases {
            let drop = format!("DROP DATABASE \"{}\" WITH (FORCE)", database.name);
            server.execute(sqlx::AssertSqlSafe(drop)).await.unwrap();
            for role in [&database.migrate.role, &database.serve.role, &database.owner_role, &database.service_role] {
                server.execute(sqlx::AssertSqlSafe(format!("DROP ROLE \"{role}\""))).await.unwrap();
            }
        }
        std::fs::remove_dir_all(&self.passwords).unwrap();
    }
}

fn refusal(result: Result<impl Sized, sqlx::Error>) -> String {
    result.err().unwrap().as_database_error().unwrap().code().unwrap().into_owned()
}

const INSUFFICIENT_PRIVILEGE: &str = "42501";
const NO_SCHEMA: &str = "3F000";
const INVALID_PASSWORD: &str = "28P01";

#[tokio::test]
async fn a_service_reads_and_writes_rows_and_nothing_more() {
    let server = server("rights");
    server.provision().await;
    let [auth, product] = [&server.plan.databases[0], &server.plan.databases[1]];

    let mut migrate = server.log_in(&auth.migrate, auth).await.unwrap();
    // Before it says SET ROLE it does not even see a schema to make something in.
    assert_eq!(refusal(migrate.execute("CREATE TABLE users (id int)").await), NO_SCHEMA);
    migrate.execute(sqlx::AssertSqlSafe(format!("SET ROLE \"{}\"", auth.owner_role))).await.unwrap();
    migrate.execute("CREATE TABLE users (id bigserial PRIMARY KEY, name text)").await.unwrap();
    migrate.execute("CREATE SCHEMA simulator; CREATE TABLE simulator.ledger (id int)").await.unwrap();

    let mut serve = server.log_in(&auth.serve, auth).await.unwrap();
    serve.execute("INSERT INTO users (name) VALUES ('ada'); UPDATE users SET name = 'eve'").await.unwrap();
    serve.execute("INSERT INTO simulator.ledger VALUES (1); DELETE FROM users").await.unwrap();
    for statement in [
        "CREATE TABLE mine (id int)",
        "DROP TABLE users",
        "TRUNCATE users",
        "ALTER TABLE users ADD COLUMN x int",
        "SELECT * FROM ecommerce_provisioning.provisioning",
        "CREATE SCHEMA mine",
    ] {
        assert_eq!(refusal(serve.execute(statement).await), INSUFFICIENT_PRIVILEGE, "{statement}");
    }
    assert_eq!(refusal(server.log_in(&auth.serve, product).await), INSUFFICIENT_PRIVILEGE);
    assert_eq!(refusal(server.log_in(&auth.migrate, product).await), INSUFFICIENT_PRIVILEGE);
    drop((migrate, serve));
    server.forget().await;
}

#[tokio::test]
async fn provisioning_again_keeps_the_ids_and_the_rows_and_sets_the_passwords() {
    let server = server("again");
    let first = server.provision().await;
    let auth = &server.plan.databases[0];
    let mut migrate = server.log_in(&auth.migrate, auth).await.unwrap();
    migrate.execute(sqlx::AssertSqlSafe(format!("SET ROLE \"{}\"", auth.owner_role))).await.unwrap();
    migrate.execute("CREATE TABLE users (id int); INSERT INTO users VALUES (1)").await.unwrap();

    std::fs::write(server.passwords.join(&auth.serve.password), "another").unwrap();
    assert_eq!(server.provision().await, first);
    let mut serve = server.log_in(&auth.serve, auth).await.unwrap();
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM users").fetch_one(&mut serve).await.unwrap();
    assert_eq!(rows, 1);
    let stored: String = sqlx::query_scalar("SELECT rolpassword FROM pg_authid WHERE rolname = $1")
        .bind(&auth.serve.role)
        .fetch_one(&mut server.options.connect().await.unwrap())
        .await
        .unwrap();
    assert!(stored.starts_with("SCRAM-SHA-256$4096:"));
    drop((migrate, serve));
    server.forget().await;
}

#[tokio::test]
async fn a_login_is_opened_by_its_password_and_by_none_that_is_nearly_it() {
    let server = server("password");
    let auth = &server.plan.databases[0];
    let mut superuser = server.options.connect().await.unwrap();
    for login in [&auth.serve, &auth.migrate] {
        std::fs::write(server.passwords.join(&login.password), ANY_PASSWORD).unwrap();
    }
    server.provision().await;
    for login in [&auth.serve, &auth.migrate] {
        ask_for_password(&mut superuser, &login.role).await;
        server.log_in(login, auth).await.unwrap();
        std::fs::write(server.passwords.join(&login.password), ANY_PASSWORD.trim()).unwrap();
        assert_eq!(refusal(server.log_in(login, auth).await), INVALID_PASSWORD);
    }
    server.forget().await;
}

#[tokio::test]
async fn a_server_that_refuses_the_password_is_an_error_at_once() {
    let mut server = server("refused");
    server.plan.administrator.role = "nobody".to_owned();
    let error = provision(&server.plan, &server.files, &Clock::system()).await.unwrap_err();
    assert!(error.to_string().starts_with("unable to connect to PostgreSQL at "), "{error}");
    std::fs::remove_dir_all(&server.passwords).unwrap();
}
