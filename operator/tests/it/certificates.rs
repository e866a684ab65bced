//! Whose certificates a store of others is believed by, at real servers.

use std::path::Path;
use std::time::Duration;

use ecommerce_testing::{Authority, Postgres, TlsDoor, database, redis, unique_name};
use ecommerce_types::Clock;
use operator::crd::{ExternalStore, Keeper, SecretRef};
use operator::credentials::Credentials;
use operator::external::{FINGERPRINT, NEXT, found};
use operator::names::{Backend, Names};
use operator::provision::plan::{External, Plan};
use operator::provision::{Files, provision};
use operator::resolve::{Embedded, Location};
use sqlx::postgres::PgConnectOptions;

use crate::stores_of_others::databases_on;

/// What provisioning says of a store whose Secret says this. Beside one that is no PostgreSQL there is the one that all tests share.
async fn tried(store: Backend, said: &[(&str, String)]) -> Result<(), String> {
    let names = Names::new("default", "shop");
    let directory = std::env::temp_dir().join(unique_name());
    let shared = database::server();
    let shared = databases_on(&shared, |database| at_database(&shared, database)).await;
    let mut stores = vec![(store, said)];
    stores.extend((store != Backend::Postgres).then_some((Backend::Postgres, shared.as_slice())));
    let external = stores.into_iter().map(|(store, said)| external(store, said, &directory)).collect();
    let location = Location::embedded(&names, Backend::Postgres, Embedded::default());
    let plan = Plan::new(&names, &location).with(&names, external);
    let files = Files { credentials: directory.clone(), stores: directory.clone(), patience: Duration::from_secs(10) };
    let answer = Box::pin(provision(&plan, &files, &Clock::system())).await;
    std::fs::remove_dir_all(&directory).unwrap();
    answer.map(|_| ()).map_err(|error| error.to_string())
}

/// What the Job finds of a store whose logins somebody else has made.
fn external(store: Backend, said: &[(&str, String)], directory: &Path) -> External {
    let managed = Some(false);
    let external =
        ExternalStore { secret_ref: SecretRef { name: "theirs".to_owned() }, managed, ..ExternalStore::default() };
    let mut credentials = Credentials::default();
    for (key, value) in said {
        credentials.insert("theirs", key, value.clone());
    }
    let found = found(store, &external, &credentials).unwrap();
    let directory = directory.join(store.as_str());
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join(NEXT), found.text()).unwrap();
    std::fs::write(directory.join(FINGERPRINT), found.fingerprint("")).unwrap();
    External { store, keeper: Keeper::Others, secret: "theirs".to_owned(), fingerprint: found.fingerprint("") }
}

/// As the superuser, with a password that nobody asks for.
fn at_database(server: &str, database: &str) -> String {
    let mut url: url::Url = server.parse().unwrap();
    url.set_password(Some("p")).unwrap();
    url.set_path(database);
    url.to_string()
}

#[tokio::test]
async fn a_redis_is_believed_by_the_certificates_of_its_secret_alone() {
    let (authority, other) = (Authority::create(), Authority::create());
    let good = authority.certificate("localhost");
    for (shown, believed, why) in [
        (&good, &other, "nobody whom the Secret's certificates name"),
        (&authority.expired_certificate("localhost"), &authority, "its certificate has expired"),
        (&authority.certificate("elsewhere.example"), &authority, "its certificate is of another host"),
    ] {
        let door = TlsDoor::to(&redis::url(), shown).await;
        let error = tried(Backend::Redis, &at(&door, believed)).await.unwrap_err();
        assert!(error.contains("the server of its uri is not believed: "), "{error}");
        assert!(error.contains(why), "{error}");
    }
    tried(Backend::Redis, &at(&TlsDoor::to(&redis::url(), &good).await, &authority)).await.unwrap();
}

fn at(door: &TlsDoor, believed: &Authority) -> [(&'static str, String); 2] {
    [("uri", door.url.to_string()), ("ca.crt", believed.pem())]
}

#[tokio::test]
async fn a_postgres_is_believed_by_the_certificates_of_its_secret_alone() {
    let (authority, other) = (Authority::create(), Authority::create());
    let postgres = Postgres::encrypted(&authority.certificate("localhost")).await;
    let port = postgres.url.parse::<PgConnectOptions>().unwrap().get_port();
    let databases = databases_on(&postgres.url, str::to_owned).await;
    let said = |host: &str, pem: String| {
        let uri = |database: &str| format!("postgres://postgres:p@{host}:{port}/{database}");
        let uris = databases.iter().map(|(key, database)| (*key, uri(database)));
        uris.chain([("certificates", pem)]).collect::<Vec<_>>()
    };
    tried(Backend::Postgres, &said("localhost", authority.pem())).await.unwrap();
    let error = tried(Backend::Postgres, &said("localhost", other.pem())).await.unwrap_err();
    assert!(error.contains("is not believed: nobody whom the Secret's certificates name"), "{error}");
    let error = tried(Backend::Postgres, &said("127.0.0.1", authority.pem())).await.unwrap_err();
    assert!(error.contains("is not believed: its certificate is of another host"), "{error}");
}
