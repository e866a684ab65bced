//! Sessions stand until they end.

use std::time::{Duration, Instant};

use ecommerce_redis::{Error, Sessions};
use ecommerce_testing::eventually;

use crate::{Part, session};

const LONG: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_session_stands_until_it_is_removed() {
    let part = Part::new().await;
    let sessions = Sessions::new(part.connect().await);
    let ((id, session), (other, _)) = (session(), session());
    sessions.put(id, &session, LONG).await.unwrap();
    assert_eq!(sessions.get(id).await.unwrap(), Some(session));
    sessions.remove(&[id, other]).await.unwrap();
    assert_eq!(sessions.get(id).await.unwrap(), None);
    sessions.remove(&[id]).await.unwrap();
    sessions.remove(&[]).await.unwrap();
}

#[tokio::test]
async fn a_session_ends_when_its_lifetime_is_over() {
    let part = Part::new().await;
    let sessions = Sessions::new(part.connect().await);
    let (id, session) = session();
    sessions.put(id, &session, Duration::from_secs(1)).await.unwrap();
    eventually("the session ends", || async { sessions.get(id).await.unwrap().is_none().then_some(()) }).await;
}

#[tokio::test]
async fn stacks_that_share_a_redis_do_not_share_sessions() {
    let (one, other) = (Part::new().await, Part::new().await);
    let (id, session) = session();
    Sessions::new(one.connect().await).put(id, &session, LONG).await.unwrap();
    assert_eq!(Sessions::new(other.connect().await).get(id).await.unwrap(), None);
}

#[tokio::test]
async fn while_redis_is_away_a_command_fails_at_once_and_later_works_again() {
    let part = Part::new().await;
    let redis = part.connect().await;
    let mut returns = redis.returns();
    let sessions = Sessions::new(redis);
    let (id, session) = session();
    part.link.cut();
    eventually("the absence is noticed", || async {
        let asked = Instant::now();
        let failed = matches!(sessions.put(id, &session, LONG).await, Err(Error::Unavailable(_)));
        (failed && asked.elapsed() < Duration::from_millis(100)).then_some(())
    })
    .await;
    part.link.mend();
    tokio::time::timeout(Duration::from_secs(10), returns.next()).await.unwrap();
    sessions.put(id, &session, LONG).await.unwrap();
}

#[tokio::test]
async fn a_slow_redis_costs_no_more_than_the_time_limit_and_is_left_for_a_new_connection() {
    let part = Part::new().await;
    let sessions = Sessions::new(part.connect().await);
    let (id, _) = session();
    part.link.clog();
    let asked = Instant::now();
    assert!(matches!(sessions.get(id).await, Err(Error::Unavailable(_))));
    assert!(asked.elapsed() < Duration::from_millis(900), "{:?}", asked.elapsed());
    part.link.mend();
    eventually("the connection is whole again", || async { sessions.get(id).await.ok() }).await;
}

#[tokio::test]
async fn a_process_starts_without_redis_and_finds_it_later() {
    let part = Part::new().await;
    part.link.cut();
    let sessions = Sessions::new(part.connect().await);
    let (id, _) = session();
    assert!(sessions.get(id).await.is_err());
    part.link.mend();
    eventually("redis is found", || async { sessions.get(id).await.ok() }).await;
}
