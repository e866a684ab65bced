//! A gateway with everything around it.

use std::net::SocketAddr;
use std::sync::LazyLock;

use ecommerce_contract::Service;
use ecommerce_process::{Host, Settings as ProcessSettings};
use ecommerce_redis::{Redis, Session, Sessions};
use ecommerce_runtime::Shutdown;
use ecommerce_testing::redis::Server;
use ecommerce_testing::{Answer, Keys, Link, document, eventually};
use ecommerce_token::{Claims, Jwks, Settings, Signer};
use ecommerce_types::{Clock, Roles, SessionId, UserId};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use gateway::{Config, Upstreams};
use reqwest::{Method, Response};
use serde_json::Value;

use crate::upstream::Upstream;

/// A gateway, the services behind it, the wire to its Redis, and the clock of all.
pub(crate) struct Shop {
    pub(crate) address: SocketAddr,
    pub(crate) operations_address: SocketAddr,
    pub(crate) auth: Upstream,
    pub(crate) product: Upstream,
    pub(crate) order: Upstream,
    pub(crate) payment: Upstream,
    pub(crate) keys: Keys,
    /// The gateway's wire to Redis; the test itself has another.
    pub(crate) link: Link,
    pub(crate) sessions: Sessions,
    pub(crate) clock: Clock,
    pub(crate) http: reqwest::Client,
    shutdown: Shutdown,
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.shutdown.stop();
    }
}

/// Somebody with a session, and a token of it.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) claims: Claims,
    pub(crate) token: String,
}

/// What the gateway says of its API: what it refuses is looked up in it.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| document::parse(gateway::openapi()));

pub(crate) const PRODUCT: &str = "/api/v1/products/01990000-0000-7000-8000-000000000001";

impl Shop {
    /// A gateway that knows auth's keys.
    pub(crate) async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    /// The same with other settings.
    pub(crate) async fn open_with(change: impl FnOnce(&mut Config)) -> Self {
        let shop = Self::start(Some(signer(7).jwks()), &ecommerce_testing::redis::url(), change).await;
        shop.tell_redis_all().await;
        let stranger = shop.token(7, |_| {});
        eventually("the gateway knows the keys", || async {
            (shop.get("/api/v1/auth/me", Some(&stranger)).await.code() == "session_ended").then_some(())
        })
        .await;
        let person = shop.person("customer").await;
        eventually("the gateway believes redis", || async {
            shop.clock.advance(time::Duration::seconds(1));
            (shop.get("/api/v1/auth/me", Some(&person)).await.status == 200).then_some(())
        })
        .await;
        shop
    }

    /// A gateway whose auth has no keys yet.
    pub(crate) async fn open_before_auth() -> Self {
        let shop = Self::start(None, &ecommerce_testing::redis::url(), |_| {}).await;
        shop.tell_redis_all().await;
        shop
    }

    /// One whose Redis is nowhere.
    pub(crate) async fn open_away_from_redis() -> Self {
        let nowhere = |config: &mut Config| config.redis.redis_url = "redis://127.0.0.1:1".into();
        Self::start(Some(signer(7).jwks()), &ecommerce_testing::redis::url(), nowhere).await
    }

    /// One with a Redis of its own, which auth has told nothing.
    pub(crate) async fn open_on(redis: &Server) -> Self {
        let shop = Self::start(Some(signer(7).jwks()), &redis.url(), |_| {}).await;
        let stranger = shop.token(7, |_| {});
        eventually("the gateway knows the keys", || async {
            (shop.get("/api/v1/auth/me", Some(&stranger)).await.code() == "session_ended").then_some(())
        })
        .await;
        shop
    }

    /// As auth does, once it has told Redis of all endings.
    pub(crate) async fn tell_redis_all(&self) {
        self.sessions.mark_complete(self.sessions.run().await.unwrap()).await.unwrap();
    }

    async fn start(jwks: Option<Jwks>, store: &str, change: impl FnOnce(&mut Config)) -> Self {
        let clock = Clock::manual(Clock::system().now());
        let keys = Keys::create();
        let upstream = async |service| Upstream::start(service, keys.of(Service::Gateway)).await;
        let (auth, product) = (upstream(Service::Auth).await, upstream(Service::Product).await);
        let (order, payment) = (upstream(Service::Order).await, upstream(Service::Payment).await);
        *auth.seen.jwks.lock().unwrap() = jwks;
        let prefix = ecommerce_testing::redis::prefix();
        let link = Link::to(store).await;
        let redis = |url: &str| ecommerce_redis::Settings {
            redis_url: url.into(),
            redis_password: None,
            redis_ca_file: None,
            redis_prefix: prefix.clone(),
        };
        let mut config = Config {
            token: settings(),
            redis: redis(link.url.as_str()),
            upstreams: Upstreams {
                auth_url: auth.url.parse().unwrap(),
                product_url: product.url.parse().unwrap(),
                order_url: order.url.parse().unwrap(),
                payment_url: payment.url.parse().unwrap(),
            },
            edge_keys: keys.sent_by(Service::Gateway),
            trusted_proxies: 0,
        };
        change(&mut config);
        let shutdown = Shutdown::new();
        let host = Host::bind(&ProcessSettings::for_tests(), clock.clone(), shutdown.clone()).unwrap();
        let app = gateway::build(config, host).await.unwrap();
        let (address, operations_address) = (app.http_address().unwrap(), app.operations_address().unwrap());
        tokio::spawn(app.run());
        let sessions = Sessions::new(Redis::connect(&redis(store)).await.unwrap());
        let http = reqwest::Client::new();
        Self { address, operations_address, auth, product, order, payment, keys, link, sessions, clock, http, shutdown }
    }

    /// Somebody with these roles who has just logged in.
    pub(crate) async fn person(&self, roles: &str) -> Person {
        let person = self.token(7, |claims| claims.roles = roles.parse::<Roles>().unwrap());
        let session = Session { user_id: person.claims.sub, roles_version: person.claims.ver };
        self.sessions.put(person.claims.sid, &session, std::time::Duration::from_mins(1)).await.unwrap();
        person
    }

    /// A token of the key that this seed makes; without a session.
    pub(crate) fn token(&self, seed: u8, change: impl FnOnce(&mut Claims)) -> Person {
        let (user, session) = (UserId::new(&self.clock), SessionId::new(&self.clock));
        let mut claims = Claims::new(&settings(), user, session, 3, "customer".parse().unwrap(), &self.clock);
        change(&mut claims);
        Person { token: signer(seed).sign(&claims).unwrap(), claims }
    }

    pub(crate) async fn get(&self, path: &str, person: Option<&Person>) -> Answer {
        self.send(Method::GET, path, person, None).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        person: Option<&Person>,
        body: Option<String>,
    ) -> Answer {
        let mut request = self.http.request(method.clone(), format!("http://{}{path}", self.address));
        if let Some(person) = person {
            request = request.bearer_auth(&person.token);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        let answer = answer(request.send().await.unwrap()).await;
        if answer.status >= 400 {
            document::assert_names(&DOCUMENT, method.as_str(), path, answer.status, answer.code());
        }
        answer
    }
}

/// Collects an answer.
pub(crate) async fn answer(response: Response) -> Answer {
    let status = response.status().as_u16();
    let text = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let bytes = response.bytes().await.unwrap().to_vec();
    Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null), bytes }
}

/// The values of a header that the service has received.
pub(crate) fn received<'a>(echo: &'a Value, name: &str) -> Vec<&'a str> {
    let headers = echo["headers"].as_array().unwrap_or_else(|| panic!("no echo: {echo}"));
    headers.iter().filter(|pair| pair[0] == name).filter_map(|pair| pair[1].as_str()).collect()
}

pub(crate) fn settings() -> Settings {
    Settings { token_issuer: "https://shop.default".to_owned(), token_audience: "shop.default".to_owned() }
}

pub(crate) fn signer(seed: u8) -> Signer {
    let pem = SigningKey::from_bytes(&[seed; 32]).to_pkcs8_pem(LineEnding::LF).unwrap();
    Signer::from_pkcs8_pem(&pem).unwrap()
}
