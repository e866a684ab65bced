//! The first admin.

use auth::{Admin, Config};
use ecommerce_testing::eventually;

use crate::shop::{PASSWORD, Shop};

fn admin(password: &str) -> Admin {
    Admin { admin_email: Some("admin@example.com".parse().unwrap()), admin_password: Some(password.to_owned().into()) }
}

#[tokio::test]
async fn the_first_admin_is_made_at_the_start_and_never_reset() {
    let shop = Shop::open_with(admin(PASSWORD)).await;
    let login = shop.log_in("admin@example.com", PASSWORD).await;
    assert_eq!(shop.claims(&login).await.roles.to_string(), "admin");

    shop.open_another(Config { admin: admin("another password"), ..shop.config.clone() }).await;
    let users: i64 = sqlx::query_scalar("select count(*) from users").fetch_one(&shop.database.pool).await.unwrap();
    assert_eq!(users, 1);
    assert_eq!(shop.log_in("admin@example.com", "another password").await.status, 401);
    assert_eq!(shop.log_in("admin@example.com", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_customer_with_the_admins_address_is_not_made_an_admin() {
    let shop = Shop::open().await;
    shop.register("admin@example.com").await;
    shop.open_another(Config { admin: admin("another password"), ..shop.config.clone() }).await;
    let login = shop.log_in("admin@example.com", PASSWORD).await;
    assert_eq!(shop.claims(&login).await.roles.to_string(), "customer");
}

#[tokio::test]
async fn the_first_admin_waits_for_a_database_that_is_away() {
    let shop = Shop::open().await;
    shop.to_postgres.cut();
    shop.open_another(Config { admin: admin(PASSWORD), ..shop.config.clone() }).await;
    shop.to_postgres.mend();
    eventually("the admin logs in", || async {
        (shop.log_in("admin@example.com", PASSWORD).await.status == 200).then_some(())
    })
    .await;
}
