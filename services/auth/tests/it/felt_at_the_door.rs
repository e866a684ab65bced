//! What auth says is felt at the gateway: within a second, also over the death of Redis; and a key is changed unnoticed.

use std::time::{Duration, Instant};

use auth::Config;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ecommerce_redis::Session;
use ecommerce_testing::redis::Server;
use ecommerce_testing::{Answer, Client, eventually, figure, scale, within};
use ecommerce_token::{Claims, Signer};
use ecommerce_types::{Clock, SessionId, UserId};
use serde_json::{Value, json};

use crate::door::{Door, LET_IN};
use crate::shop::{PASSWORD, Shop, write_key};

/// How long an answer of Redis is remembered, and a moment to ask.
const A_SECOND: Duration = Duration::from_millis(1_500);

fn access_token(answer: &Answer) -> String {
    answer.body["access_token"].as_str().unwrap_or_else(|| panic!("no token in {}", answer.body)).to_owned()
}

/// The name of the key that has signed a login's token.
fn signed_with(login: &Answer) -> String {
    let token = access_token(login);
    let head = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&head).unwrap()["kid"].as_str().unwrap().to_owned()
}

/// The names of the keys that a replica gives out, the one that it signs with first.
async fn kids(replica: &Client) -> Vec<String> {
    let keys = replica.get("/.well-known/jwks.json").await.body;
    keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_ending_is_felt_within_a_second() {
    let shop = Shop::open().await;
    let door = Door::before(&shop, vec![shop.address()]).await;
    let (admin, _) = shop.admin().await;
    shop.register("ada@example.com").await;
    for ending in ["logout", "end", "password", "roles", "disable", "delete"] {
        let login = shop.log_in("ada@example.com", PASSWORD).await;
        let (ada, claims) = shop.person(&login).await;
        let token = access_token(&login);
        within(A_SECOND, "who logs in is let in", || async { (door.ask(&token).await == LET_IN).then_some(()) }).await;
        let user = format!("/api/v1/users/{}", claims.sub);
        let other = shop.log_in("ada@example.com", PASSWORD).await;
        let done = match ending {
            "logout" => ada.post("/api/v1/auth/logout", Value::Null).await,
            "end" => ada.send(reqwest::Method::DELETE, &format!("/api/v1/auth/sessions/{}", claims.sid), None).await,
            "password" => {
                let (other, _) = shop.person(&other).await;
                let same = json!({ "current_password": PASSWORD, "new_password": PASSWORD });
                other.post("/api/v1/auth/password", same).await
            }
            "roles" => {
                let roles = json!({ "roles": ["staff"] }).to_string();
                admin.send(reqwest::Method::PUT, &format!("{user}/roles"), Some(roles)).await
            }
            "disable" => {
                let disabled = admin.post(&format!("{user}/disable"), Value::Null).await;
                assert_eq!(admin.post(&format!("{user}/enable"), Value::Null).await.status, 200);
                disabled
            }
            _ => admin.send(reqwest::Method::DELETE, &user, None).await,
        };
        assert!(done.status < 300, "{ending}: {}", done.body);
        within(A_SECOND, ending, || async { (door.ask(&token).await == 401).then_some(()) }).await;
    }
}

/// Whose role goes while nothing is asked; with Redis knowing the session still, and with its entry gone as after its time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_idle_comes_back_without_the_role_that_went_meanwhile() {
    let shop = Shop::open_at_rest().await;
    let door = Door::before(&shop, vec![shop.address()]).await;
    let (admin, _) = shop.admin().await;
    for (email, known_to_redis) in [("ada@example.com", true), ("bob@example.com", false)] {
        shop.somebody(email, "customer,staff").await;
        let login = shop.log_in(email, PASSWORD).await;
        let claims = shop.claims(&login).await;
        assert_eq!(claims.roles.to_string(), "customer,staff");
        let token = access_token(&login);
        assert_eq!(door.ask(&token).await, LET_IN);
        shop.clock.advance(time::Duration::minutes(9));
        if !known_to_redis {
            shop.sessions.remove(&[claims.sid]).await.unwrap();
        }
        let roles = json!({ "roles": ["customer"] }).to_string();
        let path = format!("/api/v1/users/{}/roles", claims.sub);
        assert_eq!(admin.send(reqwest::Method::PUT, &path, Some(roles)).await.status, 200);
        within(A_SECOND, "the old token is refused", || async { (door.ask(&token).await == 401).then_some(()) }).await;
        let next = shop.refresh(login.body["refresh_token"].as_str().unwrap()).await;
        assert_eq!(shop.claims(&next).await.roles.to_string(), "customer", "{email}");
        assert_eq!(door.ask(&access_token(&next)).await, LET_IN);
    }
}

/// Signs as auth does, for sessions that a test has begun by itself: a login costs a hash.
struct Sessions<'a> {
    shop: &'a Shop,
    signer: Signer,
    user: UserId,
}

impl Sessions<'_> {
    async fn begin(&self, count: usize) -> Vec<String> {
        let ids: Vec<uuid::Uuid> = sqlx::query_scalar(
            "insert into sessions (id, user_id, created_at, expires_at, refreshed_at)
             select gen_random_uuid(), $1, now(), now() + interval '1 hour', now() from generate_series(1, $2) returning id",
        )
        .bind(self.user.0)
        .bind(i64::try_from(count).unwrap())
        .fetch_all(&self.shop.database.pool)
        .await
        .unwrap();
        let mut tokens = Vec::new();
        for id in ids.into_iter().map(SessionId) {
            let session = Session { user_id: self.user, roles_version: 1 };
            self.shop.sessions.put(id, &session, Duration::from_mins(10)).await.unwrap();
            let roles = "customer".parse().unwrap();
            let claims = Claims::new(&self.shop.config.token, self.user, id, 1, roles, &self.shop.clock);
            tokens.push(self.signer.sign(&claims).unwrap());
        }
        tokens
    }
}

/// Redis dies and comes back without its last second, in which they all were ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_whose_session_has_ended_comes_in_a_second_after_redis_is_back() {
    let mut redis = Server::start().await;
    let shop = Shop::open_on(&redis).await;
    let door = Door::before(&shop, vec![shop.address()]).await;
    let (admin, _) = shop.admin().await;
    let (_, claims) = shop.customer("ada@example.com").await;
    let pem = std::fs::read_to_string(shop.key_files.join("present.pem")).unwrap();
    let sessions = Sessions { shop: &shop, signer: Signer::from_pkcs8_pem(&pem).unwrap(), user: claims.sub };
    for kill in 0..scale(5, 2) {
        eventually("redis is told", || async { shop.sessions.are_complete().await.unwrap_or(false).then_some(()) })
            .await;
        let tokens = sessions.begin(scale(2_000, 200)).await;
        within(A_SECOND, "they are let in", || async { (door.ask(&tokens[0]).await == LET_IN).then_some(()) }).await;
        let before = redis.disk();
        let user = format!("/api/v1/users/{}", claims.sub);
        assert_eq!(admin.post(&format!("{user}/disable"), Value::Null).await.status, 200);
        redis.kill();
        redis.put_back(&before);
        redis.start_again().await;
        let back = Instant::now();
        within(A_SECOND, "the first is shut out", || async { (door.ask(&tokens[0]).await == 401).then_some(()) }).await;
        figure("shut out after redis answers again", format!("{:?}", back.elapsed()));
        for token in &tokens {
            assert_ne!(door.ask(token).await, LET_IN, "kill {kill}");
        }
        assert_eq!(admin.post(&format!("{user}/enable"), Value::Null).await.status, 200);
    }
}

/// Two replicas, of which one hears of the new key a minute and a half after the other; meanwhile people stay logged in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signing_key_is_changed_by_hand_and_no_token_is_refused() {
    let of_a_day = |config| Config { session_lifetime_seconds: 86_400, ..config };
    let shop = Shop::open_with(Clock::manual(Clock::system().now()), of_a_day).await;
    let late = shop.key_files.join("late");
    std::fs::create_dir(&late).unwrap();
    write_key(&late, "present", 7);
    let mut config = shop.config.clone();
    config.keys.signing_keys_directory = late.clone();
    let second = shop.open_another_at(config).await;
    let door = Door::before(&shop, vec![shop.address(), second]).await;
    let replicas = [shop.anonymous.clone(), Client::anonymous(second, &shop.keys)];
    // Of a person's sessions the twenty youngest stand: who is asked often is another one than who stays logged in.
    for email in ["ada@example.com", "bob@example.com"] {
        shop.register(email).await;
    }
    let mut refresh = shop.log_in("ada@example.com", PASSWORD).await.body["refresh_token"].clone();
    let (mut asked, mut old) = (0, Vec::new());
    // The gateway looks each true second whether its keys have become old, of which the clock that is moved knows nothing.
    let mut pace = tokio::time::interval(Duration::from_millis(100));
    let mut step = async |seconds: i64| {
        pace.tick().await;
        shop.clock.advance(time::Duration::seconds(seconds));
        for replica in &replicas {
            let next = replica.post("/api/v1/auth/refresh", json!({ "refresh_token": refresh })).await;
            assert_eq!(next.status, 200, "{}", next.body);
            refresh = next.body["refresh_token"].clone();
            old.push((shop.clock.now(), access_token(&next)));
        }
        old.retain(|(at, _)| shop.clock.now() - *at < time::Duration::minutes(10));
        for (_, token) in old.iter().rev().take(4).chain(old.first()) {
            assert_eq!(door.ask(token).await, LET_IN, "after {asked} requests");
            asked += 1;
        }
    };
    for rotation in 0..u8::try_from(scale(3, 1)).unwrap() {
        let (before, after) = (7 + rotation, 8 + rotation);
        for (replica, directory) in replicas.iter().zip([&shop.key_files, &late]) {
            let known = kids(replica).await;
            write_key(directory, "previous", before);
            write_key(directory, "present", after);
            // A minute and a half until the other one hears of it; and what it takes to read the files.
            for _ in 0..9 {
                step(10).await;
            }
            let reads = || async { kids(replica).await.iter().any(|kid| !known.contains(kid)).then_some(()) };
            eventually("the replica reads its files", reads).await;
        }
        for _ in 0..60 {
            step(10).await;
        }
        eventually("both sign with the new key", || async {
            let signed = signed_with(&shop.log_in("bob@example.com", PASSWORD).await);
            let first = [kids(&replicas[0]).await.remove(0), kids(&replicas[1]).await.remove(0)];
            (first.iter().all(|kid| *kid == signed)).then_some(())
        })
        .await;
        // Until no token of the old key is left, as the runbook says.
        for _ in 0..40 {
            step(30).await;
        }
        for directory in [&shop.key_files, &late] {
            std::fs::remove_file(directory.join("previous.pem")).unwrap();
        }
        for replica in &replicas {
            eventually("the old key is withdrawn", || async { (kids(replica).await.len() == 1).then_some(()) }).await;
        }
        for _ in 0..12 {
            step(10).await;
        }
    }
    figure("requests while a key was changed, none refused", asked);
}
