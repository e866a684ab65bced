//! What payment has to have reached to be ready.

use ecommerce_testing::Client;

use crate::shop::Shop;

#[tokio::test]
async fn a_service_that_reaches_no_store_is_not_ready_and_names_them_all() {
    let shop = Shop::without_service().await;
    let answer = Client::without_key(shop.open_away_from_its_stores().await).get("/readyz").await;
    assert_eq!((answer.status, answer.bytes.as_slice()), (503, &b"not reached yet: PostgreSQL, RabbitMQ\n"[..]));
}
