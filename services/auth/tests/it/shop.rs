//! One auth service with stores of its own, and the people who use it.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
use auth::{Config, KeySettings, Registration, first_admin};
use ecommerce_contract::headers;
use ecommerce_postgres::migration;
use ecommerce_process::{Host, Settings};
use ecommerce_redis::{Redis, Sessions};
use ecommerce_runtime::Shutdown;
use ecommerce_testing::{Answer, Client, Database, Keys, Link, document, redis, unique_name};
use ecommerce_token::{Claims, Jwks, Settings as Token, Verifier};
use ecommerce_types::Clock;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use secrecy::ExposeSecret as _;
use serde_json::json;

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// An auth service that runs, and what it runs on.
pub(crate) struct Shop {
    pub(crate) database: Database,
    pub(crate) to_postgres: Link,
    pub(crate) to_redis: Link,
    /// Redis by another way, which no test cuts.
    pub(crate) sessions: Sessions,
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) anonymous: Client,
    address: SocketAddr,
    pub(crate) keys: Keys,
    pub(crate) key_files: PathBuf,
    shutdown: Shutdown,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::open_with(Clock::system(), |config| config).await
    }

    /// One with a Redis of its own.
    pub(crate) async fn open_on(redis: &redis::Server) -> Self {
        Self::open_all(Clock::system(), &redis.url(), |config| config).await
    }

    /// One whose time stands still until it is moved.
    pub(crate) async fn open_at_rest() -> Self {
        Self::open_with(Clock::manual(Clock::system().now()), |config| config).await
    }

    /// One with other settings.
    pub(crate) async fn open_with(clock: Clock, change: impl FnOnce(Config) -> Config) -> Self {
        Self::open_all(clock, &redis::url(), change).await
    }

    /// One on this database.
    pub(crate) async fn open_with_database(database: Database) -> Self {
        Self::open_all_on(database, Clock::system(), &redis::url(), |config| config).await
    }

    async fn open_all(clock: Clock, redis_url: &str, change: impl FnOnce(Config) -> Config) -> Self {
        Self::open_all_on(Database::create(auth::migrations()).await, clock, redis_url, change).await
    }

    async fn open_all_on(
        mut database: Database,
        clock: Clock,
        redis_url: &str,
        change: impl FnOnce(Config) -> Config,
    ) -> Self {
        let to_postgres = Link::to(database.settings.database_url.expose_secret()).await;
        database.settings.database_url = to_postgres.url.to_string().into();
        let (to_redis, prefix) = (Link::to(redis_url).await, redis::prefix());
        let straight = ecommerce_redis::Settings {
            redis_url: redis_url.to_owned().into(),
            redis_password: None,
            redis_ca_file: None,
            redis_prefix: prefix,
        };
        let keys = Keys::create();
        let key_files = std::env::temp_dir().join(unique_name());
        std::fs::create_dir(&key_files).unwrap();
        std::fs::write(key_files.join("refresh-keys"), "0123456789abcdef0123456789abcdef").unwrap();
        let config = Config {
            postgres: database.settings.clone(),
            redis: ecommerce_redis::Settings { redis_url: to_redis.url.to_string().into(), ..straight.clone() },
            api_keys: keys.known(),
            token: Token { token_issuer: "https://shop.default".to_owned(), token_audience: "shop.default".to_owned() },
            keys: KeySettings {
                signing_keys_directory: key_files.clone(),
                refresh_keys_file: key_files.join("refresh-keys"),
            },
            mail: ecommerce_mail::Settings::default(),
            password_reset_url: None,
            registration: Registration::Open,
            session_lifetime_seconds: 3600,
            password_threads: NonZeroUsize::new(2).unwrap(),
        };
        let (clock, shutdown) = (clock, Shutdown::new());
        write_key(&key_files, "present", 7);
        let config = change(config);
        let (address, _) = start(config.clone(), &clock, &shutdown).await;
        let document = document::parse(auth::openapi());
        let anonymous = Client::anonymous(address, &keys).with_document(document);
        Self {
            database,
            to_postgres,
            to_redis,
            sessions: Sessions::new(Redis::connect(&straight).await.unwrap()),
            config,
            clock,
            anonymous,
            address,
            keys,
            key_files,
            shutdown,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Another process of the same service, with other settings.
    pub(crate) async fn open_another(&self, config: Config) -> Client {
        Client::anonymous(self.open_another_at(config).await, &self.keys)
    }

    /// The same; answers where it is.
    pub(crate) async fn open_another_at(&self, config: Config) -> SocketAddr {
        start(config, &self.clock, &self.shutdown).await.0
    }

    /// The same; answers where its health is.
    pub(crate) async fn health_of_another(&self, config: Config) -> SocketAddr {
        start(config, &self.clock, &self.shutdown).await.1
    }

    /// What a migration does that is told of this admin with this password; answers its notice.
    pub(crate) async fn first_admin(
        &self,
        email: &str,
        password: &str,
    ) -> Result<Option<String>, ecommerce_process::Failure> {
        let connection = migration::run(&self.database.owner, auth::migrations()).await?;
        let settings = first_admin::Settings {
            admin_email: Some(email.parse()?),
            admin_password: Some(password.to_owned().into()),
            token_audience: self.config.token.token_audience.clone(),
        };
        first_admin::apply(&settings, connection, &self.clock).await
    }

    /// The hash that is kept of everybody's password.
    pub(crate) async fn password_hash(&self) -> String {
        sqlx::query_scalar("select password_hash from users").fetch_one(&self.database.pool).await.unwrap()
    }

    /// Puts a hash of everybody's [`PASSWORD`] in place that was made when a hash cost so many passes over 8 MiB.
    pub(crate) async fn hash_as_of_old(&self, passes: u32) {
        let cost = Params::new(8 * 1024, passes, 1, None).unwrap();
        let hash = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost).hash_password(PASSWORD.as_bytes()).unwrap();
        let hash: PasswordHash = hash;
        let update = sqlx::query("update users set password_hash = $1").bind(hash.to_string());
        update.execute(&self.database.pool).await.unwrap();
    }

    pub(crate) async fn register(&self, email: &str) -> Answer {
        let body = json!({ "email": email, "password": PASSWORD, "name": "Ada Lovelace" });
        self.anonymous.post("/api/v1/auth/register", body).await
    }

    pub(crate) async fn log_in(&self, email: &str, password: &str) -> Answer {
        self.anonymous.post("/api/v1/auth/login", json!({ "email": email, "password": password })).await
    }

    /// What a token says to the gateway.
    pub(crate) async fn claims(&self, login: &Answer) -> Claims {
        assert_eq!(login.status, 200, "{}", login.body);
        let jwks: Jwks = serde_json::from_slice(&self.anonymous.get("/.well-known/jwks.json").await.bytes).unwrap();
        let token = login.body["access_token"].as_str().unwrap();
        Verifier::new(&jwks, &self.config.token).verify(token, self.clock.now()).unwrap()
    }

    /// The gateway's requests for whoever has logged in so.
    pub(crate) async fn person(&self, login: &Answer) -> (Client, Claims) {
        let claims = self.claims(login).await;
        let client = self
            .anonymous
            .clone()
            .with(headers::USER_ID, claims.sub.to_string())
            .with(headers::SESSION_ID, claims.sid.to_string())
            .with(headers::USER_ROLES, claims.roles.to_string());
        (client, claims)
    }

    /// Somebody with these roles, made as by an admin, who has logged in.
    pub(crate) async fn somebody(&self, email: &str, roles: &str) -> (Client, Claims) {
        assert_eq!(self.register(email).await.status, 201);
        sqlx::query("update users set roles = string_to_array($2, ',') where email = $1")
            .bind(email)
            .bind(roles)
            .execute(&self.database.pool)
            .await
            .unwrap();
        self.person(&self.log_in(email, PASSWORD).await).await
    }

    /// The only admin there is.
    pub(crate) async fn admin(&self) -> (Client, Claims) {
        self.somebody("admin@example.com", "admin").await
    }

    /// Gives a refresh token back.
    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        self.anonymous.post("/api/v1/auth/refresh", json!({ "refresh_token": token })).await
    }

    /// A customer who has registered and logged in.
    pub(crate) async fn customer(&self, email: &str) -> (Client, Claims) {
        assert_eq!(self.register(email).await.status, 201);
        self.person(&self.log_in(email, PASSWORD).await).await
    }
}

/// Puts a private key in a file.
pub(crate) fn write_key(directory: &Path, name: &str, number: u8) {
    let pem = SigningKey::from_bytes(&[number; 32]).to_pkcs8_pem(LineEnding::LF).unwrap();
    std::fs::write(directory.join(format!("{name}.pem")), pem.as_bytes()).unwrap();
}

/// Starts a process; answers where it is, and where its health is.
async fn start(config: Config, clock: &Clock, shutdown: &Shutdown) -> (SocketAddr, SocketAddr) {
    let host = Host::bind(&Settings::for_tests(), clock.clone(), shutdown.clone()).unwrap();
    let app = auth::build(config, host).await.unwrap();
    let addresses = (app.http_address().unwrap(), app.operations_address().unwrap());
    tokio::spawn(app.run());
    addresses
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.shutdown.stop();
        let _ = std::fs::remove_dir_all(&self.key_files);
    }
}
