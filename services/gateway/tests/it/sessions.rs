//! A token is worth what its session is.

use ecommerce_redis::Session;
use ecommerce_types::UserId;
use futures::future::join_all;
use time::Duration;

use crate::shop::{Person, Shop};

/// How long an ended session may still pass.
const FRESH: Duration = Duration::seconds(1);
/// How long the last answer stands while Redis is away.
const STANDS: Duration = Duration::seconds(60);

const ME: &str = "/api/v1/auth/me";
const HOUR: std::time::Duration = std::time::Duration::from_hours(1);

async fn outcome(shop: &Shop, person: &Person) -> (u16, String) {
    let answer = shop.get(ME, Some(person)).await;
    (answer.status, answer.code().to_owned())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn an_ended_session_is_refused_within_a_second() {
    let shop = Shop::open().await;
    let person = shop.person("customer").await;
    assert_eq!(shop.get(ME, Some(&person)).await.status, 200);
    shop.sessions.remove(&[person.claims.sid]).await.unwrap();
    assert_eq!(shop.get(ME, Some(&person)).await.status, 200);
    shop.clock.advance(FRESH);
    assert_eq!(outcome(&shop, &person).await, refused(401, "session_ended"));
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_no_ended_session_pass() {
    let shop = Shop::open().await;
    let person = shop.person("customer").await;
    assert_eq!(shop.get(ME, Some(&person)).await.status, 200);
    shop.sessions.remove(&[person.claims.sid]).await.unwrap();
    shop.clock.advance(Duration::seconds(-4));
    shop.clock.advance(FRESH);
    assert_eq!(outcome(&shop, &person).await, refused(401, "session_ended"));
}

#[tokio::test]
async fn a_token_with_roles_of_the_past_is_refused_and_its_successor_is_not() {
    let shop = Shop::open().await;
    let person = shop.person("customer").await;
    let session = Session { user_id: person.claims.sub, roles_version: person.claims.ver + 1 };
    shop.sessions.put(person.claims.sid, &session, HOUR).await.unwrap();
    assert_eq!(outcome(&shop, &person).await, refused(401, "token_outdated"));
    let next = shop.token(7, |claims| {
        *claims = person.claims.clone();
        claims.ver += 1;
    });
    assert_eq!(shop.get(ME, Some(&next)).await.status, 200);
}

#[tokio::test]
async fn anothers_session_is_not_ones_own() {
    let shop = Shop::open().await;
    let person = shop.person("customer").await;
    let session = Session { user_id: UserId::new(&shop.clock), roles_version: 0 };
    shop.sessions.put(person.claims.sid, &session, HOUR).await.unwrap();
    assert_eq!(outcome(&shop, &person).await, refused(401, "session_ended"));
}

#[tokio::test]
async fn while_redis_is_away_the_last_answer_stands_for_a_minute() {
    let shop = Shop::open().await;
    let (known, unknown) = (shop.person("customer").await, shop.person("customer").await);
    let ended = shop.token(7, |_| {});
    assert_eq!(shop.get(ME, Some(&known)).await.status, 200);
    assert_eq!(outcome(&shop, &ended).await, refused(401, "session_ended"));
    shop.link.cut();

    shop.clock.advance(STANDS);
    assert_eq!(shop.get(ME, Some(&known)).await.status, 200);
    assert_eq!(outcome(&shop, &ended).await, refused(401, "session_ended"));
    assert_eq!(outcome(&shop, &unknown).await, refused(503, "sessions_unavailable"));

    shop.clock.advance(Duration::seconds(1));
    let answer = shop.get(ME, Some(&known)).await;
    assert_eq!((answer.status, answer.code()), (503, "sessions_unavailable"));
    assert_eq!(answer.header("retry-after"), Some("1"));

    shop.link.mend();
    ecommerce_testing::eventually("redis is asked again", || async {
        shop.clock.advance(FRESH);
        (shop.get(ME, Some(&known)).await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_clogged_redis_is_waited_for_once_and_not_by_each() {
    let shop = Shop::open().await;
    let person = shop.person("customer").await;
    assert_eq!(shop.get(ME, Some(&person)).await.status, 200);
    shop.link.clog();
    shop.clock.advance(FRESH);
    let started = std::time::Instant::now();
    let answers = join_all((0..50).map(|_| shop.get(ME, Some(&person)))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let one = ecommerce_redis::connection::COMMAND_TIMEOUT;
    assert!(started.elapsed() < one * 5, "{:?}", started.elapsed());
}
