//! What is kept of orders for good, and what is not.

use ecommerce_testing::{eventually, scale};
use serde_json::json;

use crate::shop::Shop;

async fn count(shop: &Shop, table: &'static str) -> i64 {
    let count = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) from {table}")));
    count.fetch_one(&shop.database.pool).await.unwrap()
}

/// The keys go by the database's clock, which no test moves: they are made older instead.
#[tokio::test]
async fn after_a_month_orders_and_their_history_are_there_and_the_keys_of_their_requests_are_not() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    for _ in 0..10 {
        let order = shop.order(&customer).await;
        customer.post(&format!("/api/v1/orders/{order}/cancel"), json!(null)).await;
        assert_eq!(shop.published_to("product").await.event.order_id(), order, "order.closed");
    }
    let of_a_month_ago = "update idempotency_keys set created_at = created_at - interval '31 days'";
    sqlx::query(of_a_month_ago).execute(&shop.database.pool).await.unwrap();
    let more = "insert into idempotency_keys (user_id, method, path, key, request_hash, status, body, created_at)
                select gen_random_uuid(), method, path, key, request_hash, status, body, created_at
                from (select * from idempotency_keys limit 1) as one, generate_series(1, $1)";
    sqlx::query(more).bind(i64::try_from(scale(100_000, 10_000)).unwrap()).execute(&shop.database.pool).await.unwrap();
    let order = shop.order(&customer).await;

    shop.replica().await;
    eventually("the old keys are gone", || async { (count(&shop, "idempotency_keys").await == 1).then_some(()) }).await;
    assert_eq!((count(&shop, "orders").await, count(&shop, "order_skus").await), (11, 11));
    assert_eq!((count(&shop, "order_history").await, count(&shop, "open_orders").await), (21, 1));
    shop.reaches(&customer, order, "pending").await;
}
