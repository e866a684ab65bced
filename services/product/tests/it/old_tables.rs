//! A database of the commit in `local/old-commit`, with a product and reservations, brought to this one's tables.

use ecommerce_testing::Database;
use ecommerce_types::{OrderId, ProductId};
use uuid::Uuid;

use crate::shop::Shop;

const OLD: &str = include_str!("../../../../migrations/old/product.sql");

#[tokio::test]
async fn what_is_reserved_in_old_tables_is_sold() {
    let shop = Shop::open_on(Database::restore(OLD, product::migrations()).await).await;
    let (product, order): (Uuid, Uuid) =
        sqlx::query_as("select product_id, order_id from stock, reservations where state = 'reserved'")
            .fetch_one(&shop.database.pool)
            .await
            .unwrap();
    assert_eq!(shop.stock(ProductId(product)).await, (99_999, 1));
    shop.broker.publish(&shop.paid(OrderId(order))).await;
    shop.eventually_stock(ProductId(product), 99_998, 0).await;
}
