//! A server is believed whose certificate is of its name, of this time and of an authority that is named, and no other.

use std::path::PathBuf;

use ecommerce_postgres::{Pool, Settings, migration, reach};
use ecommerce_runtime::ErrorChain;
use ecommerce_testing::{Authority, Database, Postgres, TlsDoor, by_tls, database};
use secrecy::ExposeSecret as _;
use sqlx::PgConnection;
use url::Url;

const MIGRATOR: fn() -> sqlx::migrate::Migrator = || sqlx::migrate!("../../migrations/order");

fn at(url: &Url, ca_file: Option<PathBuf>) -> Settings {
    Settings {
        database_url: url.as_str().into(),
        database_password: None,
        database_ca_file: ca_file,
        database_max_connections: 2,
    }
}

/// What is said against the server there.
async fn refusal(url: &Url, ca_file: Option<PathBuf>) -> String {
    let pool = Pool::new(&at(url, ca_file), "test").unwrap();
    ErrorChain(&reach(pool).await.unwrap_err()).to_string()
}

#[tokio::test]
async fn behind_tls_a_database_is_migrated_and_used() {
    let authority = Authority::create();
    let database = Database::create(MIGRATOR()).await;
    let certificate = authority.certificate("localhost");
    let of_service = TlsDoor::to(database.settings.database_url.expose_secret(), &certificate).await;
    let of_owner = TlsDoor::to(database.owner.database_url.expose_secret(), &certificate).await;
    let owner = migration::Settings {
        database_url: of_owner.url.as_str().into(),
        database_ca_file: Some(authority.file()),
        ..database.owner.clone()
    };
    migration::run(&owner, MIGRATOR()).await.unwrap();
    let pool = Pool::new(&at(&of_service.url, Some(authority.file())), "test").unwrap();
    let long = "x".repeat(1 << 20);
    let back: String = sqlx::query_scalar("select $1").bind(&long).fetch_one(&pool).await.unwrap();
    assert!(back == long, "what is longer than a record of TLS comes back whole");
}

#[tokio::test]
async fn a_server_that_speaks_tls_itself_is_used_by_it() {
    let authority = Authority::create();
    let postgres = Postgres::encrypted(&authority.certificate("localhost")).await;
    let url = by_tls(&postgres.url);
    let pool = Pool::new(&at(&url, Some(authority.file())), "test").unwrap();
    let is_encrypted = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
    assert!(sqlx::query_scalar::<_, bool>(is_encrypted).fetch_one(&pool).await.unwrap());
    let refused = refusal(&url, Some(Authority::create().file())).await;
    assert!(refused.contains("UnknownIssuer"), "{refused}");
}

#[tokio::test]
async fn a_server_may_be_known_by_its_address() {
    let authority = Authority::create();
    let door = TlsDoor::to(&database::server(), &authority.certificate("127.0.0.1")).await;
    let mut url = door.url.clone();
    url.set_host(Some("127.0.0.1")).unwrap();
    reach(Pool::new(&at(&url, Some(authority.file())), "test").unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_server_that_cannot_be_believed_is_refused_and_the_error_says_why() {
    let authority = Authority::create();
    let ours = || Some(authority.file());
    let stranger = TlsDoor::to(&database::server(), &Authority::create().certificate("localhost")).await;
    let of_another_name = TlsDoor::to(&database::server(), &authority.certificate("elsewhere.example")).await;
    let expired = TlsDoor::to(&database::server(), &authority.expired_certificate("localhost")).await;
    let good = TlsDoor::to(&database::server(), &authority.certificate("localhost")).await;
    for (url, ca_file, why) in [
        (&stranger.url, ours(), "UnknownIssuer"),
        (&of_another_name.url, ours(), "not valid for name \"localhost\""),
        (&expired.url, ours(), "certificate expired"),
        // Whom browsers know has not signed it.
        (&good.url, None, "UnknownIssuer"),
        (&by_tls(&database::server()), ours(), "server does not support TLS"),
    ] {
        let refused = refusal(url, ca_file).await;
        assert!(refused.contains(why), "{why}: {refused}");
    }
    reach(Pool::new(&at(&good.url, ours()), "test").unwrap()).await.unwrap();
}

#[tokio::test]
async fn an_authority_without_tls_stops_the_start() {
    let authority = Authority::create();
    let in_clear = Url::parse(&database::server()).unwrap();
    let refused = Pool::new(&at(&in_clear, Some(authority.file())), "test").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "DATABASE_CA_FILE is set, but DATABASE_URL speaks no TLS: it needs ?sslmode=verify-full"
    );
}

/// As it lies in a Secret that was given the key in place of the certificate.
#[tokio::test]
async fn a_file_that_is_no_authority_stops_the_start_and_is_named() {
    let authority = Authority::create();
    let key = authority.file().with_file_name("ca.key");
    std::fs::write(&key, authority.certificate("localhost").key).unwrap();
    let refused = Pool::new(&at(&by_tls(&database::server()), Some(key.clone())), "test").unwrap_err();
    let said = ErrorChain(&refused).to_string();
    assert_eq!(said, format!("DATABASE_CA_FILE names no authority: {} has no certificate in it", key.display()));
}

/// Read once, at the start: what is put in its place later is for the next start.
#[tokio::test]
async fn an_authority_is_believed_as_it_was_at_the_start() {
    let authority = Authority::create();
    let door = TlsDoor::to(&database::server(), &authority.certificate("localhost")).await;
    let pool = Pool::new(&at(&door.url, Some(authority.file())), "test").unwrap();
    std::fs::write(authority.file(), "half writ").unwrap();
    let work = async |connection: &mut PgConnection| sqlx::query("select 1").execute(connection).await.map(drop);
    pool.run(work).await.unwrap();
}
