//! The first admin, whom each migration makes where there is none.

use crate::shop::{PASSWORD, Shop};

#[tokio::test]
async fn the_first_admin_is_made_once_and_never_reset() {
    let shop = Shop::open().await;
    for password in [PASSWORD, "another word for it"] {
        assert_eq!(shop.first_admin(password).await.unwrap(), None);
    }
    let login = shop.log_in("admin@example.com", PASSWORD).await;
    assert_eq!(shop.claims(&login).await.roles.to_string(), "admin");
    assert_eq!(shop.log_in("admin@example.com", "another word for it").await.status, 401);
    let users: i64 = sqlx::query_scalar("select count(*) from users").fetch_one(&shop.database.pool).await.unwrap();
    assert_eq!(users, 1);
}

#[tokio::test]
async fn a_customer_with_the_admins_address_stays_one_and_somebody_is_told() {
    let shop = Shop::open().await;
    shop.register("admin@example.com").await;
    let notice = shop.first_admin("another word for it").await.unwrap().unwrap();
    assert!(notice.contains("spec.admin.email") && notice.contains("give that user the role"), "{notice}");
    let login = shop.log_in("admin@example.com", PASSWORD).await;
    assert_eq!(shop.claims(&login).await.roles.to_string(), "customer");

    sqlx::query("update users set roles = '{admin}'").execute(&shop.database.pool).await.unwrap();
    assert_eq!(shop.first_admin("another word for it").await.unwrap(), None, "said until it is mended");
}

#[tokio::test]
async fn a_password_that_anyone_would_try_first_makes_nobody() {
    let shop = Shop::open().await;
    let refused = shop.first_admin("shop.default").await.unwrap_err().to_string();
    assert!(refused.starts_with("ADMIN_PASSWORD: ") && !refused.contains("shop.default"), "{refused}");
    assert_eq!(shop.log_in("admin@example.com", "shop.default").await.status, 401);
}
