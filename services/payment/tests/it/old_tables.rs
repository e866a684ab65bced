//! A database of the commit in `local/old-commit`, with payments, attempts and events unsent, brought to this one's tables.

use std::collections::BTreeSet;

use ecommerce_contract::Event;
use ecommerce_testing::Database;
use ecommerce_types::PaymentId;

use crate::shop::{Shop, path};

const OLD: &str = include_str!("../../../../migrations/old/payment.sql");

#[tokio::test]
async fn payments_of_old_tables_are_read_and_what_was_unsent_is_sent() {
    let mut shop = Shop::without_service_on(Database::restore(OLD, payment::migrations()).await).await;
    let payments: Vec<(PaymentId, String)> =
        sqlx::query_as::<_, (uuid::Uuid, String)>("select id, status from payments")
            .fetch_all(&shop.database.pool)
            .await
            .unwrap()
            .into_iter()
            .map(|(id, status)| (PaymentId(id), status))
            .collect();
    shop.start().await;
    for (id, status) in &payments {
        assert_eq!(shop.staff().get(&path(*id)).await.body["status"], status.as_str());
    }
    let mut told = BTreeSet::new();
    for _ in 0..3 {
        let Event::PaymentCaptured(captured) = shop.published().await else { panic!("order is told otherwise") };
        told.insert(captured.payment_id);
    }
    let captured = payments.into_iter().filter(|(_, status)| status == "captured").map(|(id, _)| id);
    assert_eq!(told, captured.collect());
}
