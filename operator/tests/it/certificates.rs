//! Whose certificates a store of others is believed by, at real servers.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ecommerce_testing::{Postgres, database, unique_name};
use ecommerce_types::Clock;
use operator::crd::{ExternalStore, Keeper, SecretRef};
use operator::credentials::Credentials;
use operator::external::{FINGERPRINT, NEXT, found};
use operator::names::{Backend, Names};
use operator::provision::plan::{External, Plan};
use operator::provision::{Files, provision};
use operator::resolve::{Embedded, Location};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Executor as _};

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.distinguished_name.push(DnType::CommonName, unique_name());
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate of a host and its key, both in PEM.
    fn sign(&self, host: &str, has_expired: bool) -> [String; 2] {
        let key = KeyPair::generate().unwrap();
        let mut own = CertificateParams::new(vec![host.to_owned()]).unwrap();
        own.not_before = date_time_ymd(2020, 1, 1);
        own.not_after = date_time_ymd(if has_expired { 2021 } else { 4000 }, 1, 1);
        [own.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem()]
    }
}

/// A Redis with a certificate; ends when it is dropped.
struct Redis {
    port: u16,
    directory: PathBuf,
    process: Child,
}

impl Redis {
    fn start([certificate, key]: &[String; 2]) -> Self {
        let directory = std::env::temp_dir().join(unique_name());
        std::fs::create_dir(&directory).unwrap();
        let [certificate_file, key_file] = [("certificate", certificate), ("key", key)].map(|(name, text)| {
            let path = directory.join(name);
            std::fs::write(&path, text).unwrap();
            path
        });
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", "0", "--save", "", "--tls-auth-clients", "no"])
            .args(["--tls-port", &port.to_string()])
            .arg("--tls-cert-file")
            .arg(&certificate_file)
            .arg("--tls-key-file")
            .arg(&key_file)
            .arg("--tls-ca-cert-file")
            .arg(&certificate_file)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { port, directory, process }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// What provisioning says of a store whose Secret says this. Beside one that is no PostgreSQL there is the one that all tests share.
async fn tried(store: Backend, said: &[(&str, String)]) -> Result<(), String> {
    let names = Names::new("default", "shop");
    let directory = std::env::temp_dir().join(unique_name());
    let shared = uris(&database::server().replace("postgres@", "postgres:p@"));
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
    let external = ExternalStore { secret_ref: SecretRef { name: "theirs".to_owned() }, keys: None, managed };
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

fn uris(uri: &str) -> Vec<(&'static str, String)> {
    ["auth.uri", "product.uri", "order.uri", "payment.uri"].map(|key| (key, uri.to_owned())).to_vec()
}

#[tokio::test]
async fn a_redis_is_believed_by_the_certificates_of_its_secret_alone() {
    let (authority, other) = (Authority::new(), Authority::new());
    for (host, has_expired, believed, why) in [
        ("localhost", false, &other, "nobody whom the Secret's certificates name"),
        ("localhost", true, &authority, "its certificate has expired"),
        ("elsewhere.example", false, &authority, "its certificate is of another host"),
    ] {
        let redis = Redis::start(&authority.sign(host, has_expired));
        let uri = format!("rediss://localhost:{}", redis.port);
        let error = tried(Backend::Redis, &[("uri", uri), ("ca.crt", believed.pem())]).await.unwrap_err();
        assert!(error.contains(&format!("localhost:{}, of uri, is not believed: ", redis.port)), "{error}");
        assert!(error.contains(why), "{error}");
    }
    let redis = Redis::start(&authority.sign("localhost", false));
    let uri = format!("rediss://localhost:{}", redis.port);
    let said = [("uri", uri), ("ca.crt", authority.pem())];
    tried(Backend::Redis, &said).await.unwrap();
}

/// A PostgreSQL that was given this certificate.
async fn give(postgres: &Postgres, [certificate, key]: &[String; 2]) -> u16 {
    let options: PgConnectOptions = postgres.url.parse().unwrap();
    let mut superuser = options.connect().await.unwrap();
    let folder: String = sqlx::query_scalar("SHOW data_directory").fetch_one(&mut superuser).await.unwrap();
    for (name, text) in [("server.crt", certificate), ("server.key", key)] {
        let lines = text.lines().map(|line| format!("('{line}')")).collect::<Vec<_>>().join(", ");
        let write = format!("COPY (VALUES {lines}) TO PROGRAM 'umask 077; cat >{folder}/{name}'");
        superuser.execute(sqlx::AssertSqlSafe(write)).await.unwrap();
    }
    superuser.execute("ALTER SYSTEM SET ssl = on").await.unwrap();
    superuser.execute("SELECT pg_reload_conf()").await.unwrap();
    let asks = || async {
        let mut connection = options.clone().ssl_mode(sqlx::postgres::PgSslMode::Disable).connect().await.ok()?;
        let is_on: String = sqlx::query_scalar("SHOW ssl").fetch_one(&mut connection).await.ok()?;
        (is_on == "on").then_some(())
    };
    ecommerce_testing::eventually("the server has its certificate", asks).await;
    options.get_port()
}

#[tokio::test]
async fn a_postgres_is_believed_by_the_certificates_of_its_secret_alone() {
    let (authority, other) = (Authority::new(), Authority::new());
    let postgres = Postgres::start().await;
    let port = give(&postgres, &authority.sign("localhost", false)).await;
    let said = |host: &str, pem: String| {
        let uris = uris(&format!("postgres://postgres:p@{host}:{port}/postgres"));
        uris.into_iter().chain([("certificates", pem)]).collect::<Vec<_>>()
    };
    tried(Backend::Postgres, &said("localhost", authority.pem())).await.unwrap();
    let error = tried(Backend::Postgres, &said("localhost", other.pem())).await.unwrap_err();
    assert!(error.contains("is not believed: nobody whom the Secret's certificates name"), "{error}");
    let error = tried(Backend::Postgres, &said("127.0.0.1", authority.pem())).await.unwrap_err();
    assert!(error.contains("is not believed: its certificate is of another host"), "{error}");
}
