//! Another server takes over from the one that led, and no service is started again for that.

use std::time::Duration;

use ecommerce_redis::{Error, Redis, Settings};
use ecommerce_testing::redis::Server;
use ecommerce_testing::{Authority, Link, Sentinels, within};

use crate::{at, session, stands};

/// What sentinels take to give a leader up and agree on another, on a machine that does much else.
const TAKEN_OVER: Duration = Duration::from_secs(30);

async fn works_again(redis: &Redis) {
    within(TAKEN_OVER, "a session stands again", || async { stands(redis, session()).await.ok() }).await;
}

#[tokio::test]
async fn behind_sentinels_the_next_leader_is_found() {
    let mut sentinels = Sentinels::start().await;
    let redis = Redis::connect(&at(&sentinels.url())).await.unwrap();
    redis.clone().reach().await.unwrap();
    stands(&redis, session()).await.unwrap();
    sentinels.kill_leader();
    works_again(&redis).await;
}

#[tokio::test]
async fn behind_sentinels_that_speak_tls_as_their_servers_do_the_next_leader_is_found() {
    let authority = Authority::create();
    let mut sentinels = Sentinels::encrypted(&authority.certificate("127.0.0.1"), &authority.file()).await;
    let settings = Settings { redis_ca_file: Some(authority.file()), ..at(&sentinels.url()) };
    let redis = Redis::connect(&settings).await.unwrap();
    redis.clone().reach().await.unwrap();
    stands(&redis, session()).await.unwrap();
    sentinels.kill_leader();
    works_again(&redis).await;
}

/// As behind the one name of a managed Redis: it is given to another server, and the connections to the old one stay.
#[tokio::test]
async fn a_server_that_follows_another_from_now_on_is_left_for_whoever_has_its_name() {
    let (old, new) = (Server::start().await, Server::start().await);
    let name = Link::to(&old.url()).await;
    let redis = Redis::connect(&at(name.url.as_str())).await.unwrap();
    stands(&redis, session()).await.unwrap();
    name.lead_to(&new.url());
    old.follow(&new).await;
    assert!(matches!(stands(&redis, session()).await, Err(Error::Unavailable(_))), "the old one takes no writes");
    works_again(&redis).await;
}
