//! What has had its time goes.

use ecommerce_testing::eventually;

use crate::shop::Shop;

/// More than one statement takes out: they come quicker than the clock of the work when many log in.
#[tokio::test]
async fn sessions_whose_time_is_over_go_all_of_them_and_others_stay() {
    let shop = Shop::open().await;
    let (_, claims) = shop.customer("ada@example.com").await;
    sqlx::query(
        "insert into sessions (id, user_id, created_at, expires_at, refreshed_at)
         select gen_random_uuid(), $1, now() - interval '31 days', now() - interval '1 day', now() - interval '1 day' from generate_series(1, 25000)",
    )
    .bind(claims.sub.0)
    .execute(&shop.database.pool)
    .await
    .unwrap();
    shop.open_another(shop.config.clone()).await;
    eventually("only the session that stands is left", || async {
        let left: Vec<uuid::Uuid> =
            sqlx::query_scalar("select id from sessions limit 2").fetch_all(&shop.database.pool).await.unwrap();
        (left == [claims.sid.0]).then_some(())
    })
    .await;
}
