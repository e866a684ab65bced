use ecommerce_testing::Client;

use crate::shop::Shop;

#[tokio::test]
async fn health_and_metrics_are_on_a_port_of_their_own() {
    let shop = Shop::open().await;
    let operations = Client::without_key(shop.operations_address);
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(operations.get(path).await.status, 200, "{path}");
        assert_eq!(shop.anonymous.get(path).await.status, 404, "{path}");
    }
}
