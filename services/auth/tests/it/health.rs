//! What auth has to have reached to be ready.

use ecommerce_testing::Client;

use crate::shop::Shop;

#[tokio::test]
async fn a_service_that_reaches_no_store_is_not_ready_and_names_them_all() {
    let shop = Shop::open().await;
    let mut config = shop.config.clone();
    config.postgres.database_url = "postgres://127.0.0.1:1/auth".into();
    config.redis.redis_url = "redis://127.0.0.1:1".into();
    let answer = Client::without_key(shop.health_of_another(config).await).get("/readyz").await;
    assert_eq!((answer.status, answer.bytes.as_slice()), (503, &b"not reached yet: PostgreSQL, Redis\n"[..]));
}
