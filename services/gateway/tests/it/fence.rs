//! A Redis that may have forgotten endings is believed once auth has told it of them again.

use ecommerce_redis::Session;
use ecommerce_testing::eventually;
use ecommerce_testing::redis::Server;
use time::Duration;

use crate::shop::{Person, Shop};

const ME: &str = "/api/v1/auth/me";
const HOUR: std::time::Duration = std::time::Duration::from_hours(1);
const FRESH: Duration = Duration::seconds(1);
const STANDS: Duration = Duration::minutes(1);

/// What is answered to a person who asks anew.
async fn outcome(shop: &Shop, person: &Person) -> (u16, String) {
    shop.clock.advance(FRESH);
    let answer = shop.get(ME, Some(person)).await;
    (answer.status, answer.code().to_owned())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

async fn becomes(shop: &Shop, person: &Person, status: u16, code: &str) {
    eventually("the gateway has another view", || async {
        (outcome(shop, person).await == refused(status, code)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn until_redis_is_complete_only_what_shuts_somebody_out_is_believed() {
    let redis = Server::start().await;
    let shop = Shop::open_on(&redis).await;
    let (standing, ended) = (shop.person("customer").await, shop.token(7, |_| {}));
    assert_eq!(outcome(&shop, &standing).await, refused(503, "sessions_unavailable"));
    assert_eq!(outcome(&shop, &ended).await, refused(401, "session_ended"));
    shop.tell_redis_all().await;
    becomes(&shop, &standing, 200, "").await;
}

#[tokio::test]
async fn after_a_restart_the_last_answer_stands_and_stricter_ones_are_taken() {
    let mut redis = Server::start().await;
    let shop = Shop::open_on(&redis).await;
    shop.tell_redis_all().await;
    let people = [shop.person("customer").await, shop.person("customer").await, shop.person("customer").await];
    let [stays, ends, loses_a_role] = &people;
    for person in &people {
        becomes(&shop, person, 200, "").await;
    }
    redis.kill();
    redis.start_again().await;
    eventually("redis answers", || async { shop.sessions.run().await.ok() }).await;
    shop.sessions.remove(&[ends.claims.sid]).await.unwrap();
    let newer = Session { user_id: loses_a_role.claims.sub, roles_version: loses_a_role.claims.ver + 1 };
    shop.sessions.put(loses_a_role.claims.sid, &newer, HOUR).await.unwrap();
    // Time stands still for them but for the moments that an answer is fresh.
    let mut waited = Duration::ZERO;
    while outcome(&shop, ends).await != refused(401, "session_ended") {
        waited += FRESH;
        assert!(waited < STANDS, "an ending is believed at once");
    }
    assert_eq!(outcome(&shop, loses_a_role).await, refused(401, "token_outdated"));
    assert_eq!(outcome(&shop, stays).await.0, 200);

    shop.clock.advance(STANDS);
    assert_eq!(outcome(&shop, stays).await, refused(503, "sessions_unavailable"));
    shop.tell_redis_all().await;
    becomes(&shop, stays, 200, "").await;
}

/// Redis dies within its last second, and auth is away as well.
#[tokio::test]
async fn nobody_is_let_in_by_a_redis_that_forgot_an_ending() {
    let mut redis = Server::start().await;
    let shop = Shop::open_on(&redis).await;
    shop.tell_redis_all().await;
    let (known, unknown) = (shop.person("customer").await, shop.person("customer").await);
    becomes(&shop, &known, 200, "").await;
    let before = redis.disk();
    shop.sessions.remove(&[known.claims.sid, unknown.claims.sid]).await.unwrap();
    becomes(&shop, &known, 401, "session_ended").await;
    redis.kill();
    redis.put_back(&before);
    redis.start_again().await;
    eventually("redis answers", || async { shop.sessions.get(known.claims.sid).await.ok().flatten() }).await;
    becomes(&shop, &unknown, 503, "sessions_unavailable").await;
    assert_ne!(outcome(&shop, &known).await.0, 200);
}
