//! Who may call payment: the gateway alone.

use ecommerce_contract::{Service, headers};
use ecommerce_testing::Client;
use serde_json::json;

use crate::shop::{Shop, path};

#[tokio::test]
async fn without_the_gateways_key_nothing_is_answered() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let id = shop.awaiting(&customer).await.payment_id;
    let keyless = Client::without_key(shop.address);
    for (key, expected) in [
        (None, (401, "api_key_missing")),
        (Some("guess".to_owned()), (403, "api_key_refused")),
        (Some(shop.keys.of(Service::Order)), (403, "api_key_refused")),
    ] {
        let client = key.map_or_else(|| keyless.clone(), |key| customer.clone().with(headers::API_KEY, key));
        for path in ["/api/v1/payments", &path(id)] {
            let answer = client.get(path).await;
            assert_eq!((answer.status, answer.code()), expected, "{path}");
        }
        let answer = client.with_idempotency_key("k").post(&format!("{}/pay", path(id)), json!({})).await;
        assert_eq!((answer.status, answer.code()), expected);
    }
    assert_eq!(shop.charges().await, 0);
}

#[tokio::test]
async fn somebody_who_is_not_logged_in_sees_no_payment() {
    let shop = Shop::open().await;
    let id = shop.awaiting(&shop.customer()).await.payment_id;
    let anonymous = Client::anonymous(shop.address, &shop.keys);
    let read = anonymous.get(&path(id)).await;
    assert_eq!((read.status, read.code()), (401, "login_required"));
}
