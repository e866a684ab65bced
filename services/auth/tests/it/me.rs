//! `GET /api/v1/auth/me`

use ecommerce_testing::Client;
use ecommerce_types::Role;

use crate::shop::{PASSWORD, Shop};

const PATH: &str = "/api/v1/auth/me";

#[tokio::test]
async fn a_person_sees_what_was_registered() {
    let shop = Shop::open().await;
    let registered = shop.register("ada@example.com").await;
    let (customer, _) = shop.person(&shop.log_in("ada@example.com", PASSWORD).await).await;
    let answer = customer.get(PATH).await;
    assert_eq!((answer.status, answer.body), (200, registered.body));
}

#[tokio::test]
async fn a_session_that_auth_has_not_begun_is_none() {
    let shop = Shop::open().await;
    let stranger = Client::person(shop.address(), &shop.keys, Role::Admin);
    let answer = stranger.get(PATH).await;
    assert_eq!((answer.status, answer.code()), (401, "session_ended"));
}

#[tokio::test]
async fn a_session_ends_when_its_time_is_over() {
    let shop = Shop::open().await;
    let (customer, _) = shop.customer("ada@example.com").await;
    sqlx::query("update sessions set expires_at = now()").execute(&shop.database.pool).await.unwrap();
    assert_eq!(customer.get(PATH).await.code(), "session_ended");
}

#[tokio::test]
async fn while_the_database_is_away_auth_says_so_and_later_works_again() {
    let shop = Shop::open().await;
    let (customer, _) = shop.customer("ada@example.com").await;
    shop.to_postgres.cut();
    let answer = customer.get(PATH).await;
    assert_eq!((answer.status, answer.code()), (503, "database_unavailable"));
    assert_eq!((answer.header("retry-after"), answer.body.get("detail")), (Some("1"), None));
    shop.to_postgres.mend();
    ecommerce_testing::eventually("auth works again", || async {
        (customer.get(PATH).await.status == 200).then_some(())
    })
    .await;
}
