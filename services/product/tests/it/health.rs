//! Health on its port, and what a service has to have reached to be ready.

use ecommerce_testing::{Client, eventually};

use crate::shop::Shop;

#[tokio::test]
async fn a_service_that_reaches_no_store_is_not_ready_and_names_them_all() {
    let shop = Shop::open().await;
    let away = Client::without_key(shop.open_away_from_its_stores().await);
    let answer = away.get("/readyz").await;
    assert_eq!((answer.status, answer.bytes.as_slice()), (503, &b"not reached yet: PostgreSQL, RabbitMQ, Redis\n"[..]));
}

#[tokio::test]
async fn health_and_metrics_are_on_a_port_of_their_own() {
    let shop = Shop::open().await;
    let operations = Client::without_key(shop.operations_address);
    eventually("it is ready", || async { (operations.get("/readyz").await.status == 200).then_some(()) }).await;
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(operations.get(path).await.status, 200, "{path}");
        assert_eq!(shop.anonymous.get(path).await.status, 404, "{path}");
    }
}
