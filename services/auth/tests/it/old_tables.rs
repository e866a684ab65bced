//! A database of the commit in `local/old-commit`, with users and sessions, brought to this one's tables.

use ecommerce_testing::Database;

use crate::shop::{PASSWORD, Shop};

const OLD: &str = include_str!("../../../../migrations/old/auth.sql");

#[tokio::test]
async fn users_of_old_tables_log_in() {
    let shop = Shop::open_with_database(Database::restore(OLD, auth::migrations()).await).await;
    assert_eq!(shop.log_in("ada@example.com", PASSWORD).await.status, 200);
}
