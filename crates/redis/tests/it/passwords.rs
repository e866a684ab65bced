//! A service gives Redis the password that stands in its setting, whatever its characters.

use ecommerce_redis::{Redis, Sessions, Settings};
use ecommerce_testing::{ANY_PASSWORD, redis};
use ecommerce_types::{Clock, SessionId};

/// Whether a user with this password is let in who gives that one.
async fn opens(password: &str, given: &str) -> bool {
    let user = redis::user(password).await;
    let mut url = url::Url::parse(&redis::url()).unwrap();
    url.set_username(&user).unwrap();
    let settings = Settings {
        redis_url: url.to_string().into(),
        redis_password: Some(given.into()),
        redis_ca_file: None,
        redis_prefix: format!("{user}:"),
    };
    let sessions = Sessions::new(Redis::connect(&settings).await.unwrap());
    sessions.get(SessionId::new(&Clock::system())).await.is_ok()
}

#[tokio::test]
async fn a_password_that_is_nearly_right_opens_nothing() {
    assert!(!opens(ANY_PASSWORD, ANY_PASSWORD.trim()).await);
    assert!(!opens(ANY_PASSWORD, &ANY_PASSWORD.replace("%41", "A")).await);
}

#[tokio::test]
async fn a_password_of_any_characters_opens_redis() {
    for password in [ANY_PASSWORD, &format!("{ANY_PASSWORD}\n")] {
        assert!(opens(password, password).await);
    }
}
