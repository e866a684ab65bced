//! Redis is believed when its certificate is of its name, of this time and of the authority that is named, and else not.

use std::path::PathBuf;

use ecommerce_redis::{Redis, Settings};
use ecommerce_runtime::ErrorChain;
use ecommerce_testing::{Authority, TlsDoor, by_tls, eventually, redis};
use url::Url;

use crate::{at, session, stands};

fn behind(url: &Url, ca_file: Option<PathBuf>) -> Settings {
    Settings { redis_ca_file: ca_file, redis_prefix: redis::prefix(), ..at(url.as_str()) }
}

/// What is said against Redis there.
async fn refusal(url: &Url, ca_file: Option<PathBuf>) -> String {
    let redis = Redis::connect(&behind(url, ca_file)).await.unwrap();
    ErrorChain(&redis.reach().await.unwrap_err()).to_string()
}

#[tokio::test]
async fn behind_tls_sessions_stand() {
    let authority = Authority::create();
    let door = TlsDoor::to(&redis::url(), &authority.certificate("localhost")).await;
    let redis = Redis::connect(&behind(&door.url, Some(authority.file()))).await.unwrap();
    redis.clone().reach().await.unwrap();
    stands(&redis, session()).await.unwrap();
}

#[tokio::test]
async fn redis_that_cannot_be_believed_is_refused_and_the_error_says_why() {
    let authority = Authority::create();
    let ours = || Some(authority.file());
    let stranger = TlsDoor::to(&redis::url(), &Authority::create().certificate("localhost")).await;
    let of_another_name = TlsDoor::to(&redis::url(), &authority.certificate("elsewhere.example")).await;
    let expired = TlsDoor::to(&redis::url(), &authority.expired_certificate("localhost")).await;
    let good = TlsDoor::to(&redis::url(), &authority.certificate("localhost")).await;
    for (url, ca_file, why) in [
        (&stranger.url, ours(), "UnknownIssuer"),
        (&of_another_name.url, ours(), "NotValidForName"),
        (&expired.url, ours(), "Expired"),
        // Whom browsers know has not signed it.
        (&good.url, None, "UnknownIssuer"),
    ] {
        let refused = refusal(url, ca_file).await;
        assert!(refused.contains(why), "{why}: {refused}");
    }
    Redis::connect(&behind(&good.url, ours())).await.unwrap().reach().await.unwrap();
}

/// It waits for the end of a line, and says nothing.
#[tokio::test]
async fn redis_that_speaks_no_tls_is_not_waited_for_without_a_word() {
    let authority = Authority::create();
    let redis = Redis::connect(&behind(&by_tls(&redis::url()), Some(authority.file()))).await.unwrap();
    eventually("the reason is told", || async {
        let refused = ErrorChain(&redis.clone().reach().await.unwrap_err()).to_string();
        refused.contains("no answer by TLS in time: is it spoken at this port?").then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_authority_without_tls_stops_the_start() {
    let authority = Authority::create();
    let in_clear = Url::parse(&redis::url()).unwrap();
    let refused = Redis::connect(&behind(&in_clear, Some(authority.file()))).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "REDIS_CA_FILE is set, but REDIS_URL speaks no TLS: it needs rediss:// or rediss-sentinel://"
    );
}

/// A pod that is to turn ready says why it does not, and not that a command was not sent.
#[tokio::test]
async fn while_redis_is_away_whoever_asks_for_it_is_told_why() {
    let redis = Redis::connect(&at("redis://127.0.0.1:1")).await.unwrap();
    eventually("the reason is told", || async {
        let refused = ErrorChain(&redis.clone().reach().await.unwrap_err()).to_string();
        refused.contains("refused").then_some(())
    })
    .await;
}
