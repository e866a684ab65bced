//! The first admin, whom each migration makes where there is none, and whose password is what is new in the Secret.

use ecommerce_testing::{Client, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use crate::shop::{PASSWORD, Shop};

const ADMIN: &str = "admin@example.com";
const EARLIER: &str = "the earlier first admin admin@example.com still is an admin, with a password that stood in the Secret \
    <stack>-admin: disable or delete that user, take the role away, or set another password";

async fn change_password(person: &Client, from: &str, to: &str) {
    let body = json!({ "current_password": from, "new_password": to });
    assert_eq!(person.post("/api/v1/auth/password", body).await.status, 204);
}

/// Who logs in with which of these passwords.
async fn opened_by(shop: &Shop, email: &str, passwords: &[&'static str]) -> Vec<&'static str> {
    let mut opened = Vec::new();
    for password in passwords {
        if shop.log_in(email, password).await.status == 200 {
            opened.push(*password);
        }
    }
    opened
}

#[tokio::test]
async fn a_customer_with_the_admins_address_stays_one_and_somebody_is_told() {
    let shop = Shop::open().await;
    shop.register(ADMIN).await;
    let notice = shop.first_admin(ADMIN, "another word for it").await.unwrap().unwrap();
    assert!(notice.contains("spec.admin.email") && notice.contains("give that user the role"), "{notice}");
    let login = shop.log_in(ADMIN, PASSWORD).await;
    assert_eq!(shop.claims(&login).await.roles.to_string(), "customer");

    sqlx::query("update users set roles = '{admin}'").execute(&shop.database.pool).await.unwrap();
    assert_eq!(shop.first_admin(ADMIN, "another word for it").await.unwrap(), None, "said until it is mended");
    assert_eq!(opened_by(&shop, ADMIN, &[PASSWORD, "another word for it"]).await, [PASSWORD], "theirs is left to them");
}

#[tokio::test]
async fn a_password_that_anyone_would_try_first_makes_nobody_and_changes_nothing() {
    let shop = Shop::open().await;
    for wrong in ["shop.default", "short", "password"] {
        let refused = shop.first_admin(ADMIN, wrong).await.unwrap_err().to_string();
        assert!(refused.starts_with("ADMIN_PASSWORD, the key password of the Secret <stack>-admin: "), "{refused}");
        assert!(!refused.contains("shop.default"), "{refused}");
        assert_eq!(shop.log_in(ADMIN, wrong).await.status, 401);
    }
    shop.first_admin(ADMIN, PASSWORD).await.unwrap();
    let (admin, _) = shop.person(&shop.log_in(ADMIN, PASSWORD).await).await;
    shop.first_admin(ADMIN, "short").await.unwrap_err();
    assert_eq!(opened_by(&shop, ADMIN, &[PASSWORD, "short"]).await, [PASSWORD]);
    assert_eq!(admin.get("/api/v1/auth/me").await.status, 200);
    assert_eq!(shop.first_admin(ADMIN, PASSWORD).await.unwrap(), None, "what was applied last is what was right");
    assert_eq!(admin.get("/api/v1/auth/me").await.status, 200);
}

#[tokio::test]
async fn an_admin_who_has_changed_the_password_keeps_it_while_the_secret_says_the_same() {
    let shop = Shop::open().await;
    shop.first_admin(ADMIN, PASSWORD).await.unwrap();
    let login = shop.log_in(ADMIN, PASSWORD).await;
    assert_eq!(shop.claims(&login).await.roles.to_string(), "admin");
    let (admin, _) = shop.person(&login).await;
    change_password(&admin, PASSWORD, "a word of my own").await;
    for _ in 0..2 {
        assert_eq!(shop.first_admin(ADMIN, PASSWORD).await.unwrap(), None);
        assert_eq!(opened_by(&shop, ADMIN, &[PASSWORD, "a word of my own"]).await, ["a word of my own"]);
    }
    assert_eq!(admin.get("/api/v1/auth/me").await.status, 200, "and the session");
    let users: i64 = sqlx::query_scalar("select count(*) from users").fetch_one(&shop.database.pool).await.unwrap();
    assert_eq!(users, 1);
}

#[tokio::test]
async fn a_password_that_is_new_in_the_secret_is_the_admins_and_ends_their_sessions_and_nobody_elses() {
    let shop = Shop::open().await;
    shop.first_admin(ADMIN, PASSWORD).await.unwrap();
    let (customer, of_customer) = shop.customer("ada@example.com").await;
    let login = shop.log_in(ADMIN, PASSWORD).await;
    let (admin, claims) = shop.person(&login).await;
    change_password(&admin, PASSWORD, "a word of my own").await;
    let link = admin.post(&format!("/api/v1/users/{}/password-reset", claims.sub), Value::Null).await;
    assert_eq!(link.status, 201, "{}", link.body);

    assert_eq!(shop.first_admin(ADMIN, "another word for it").await.unwrap(), None);
    let all = [PASSWORD, "a word of my own", "another word for it"];
    assert_eq!(admin.get("/api/v1/auth/me").await.code(), "session_ended");
    assert_eq!(shop.refresh(login.body["refresh_token"].as_str().unwrap()).await.status, 401);
    eventually("the gateway hears of it", || async {
        shop.sessions.get(claims.sid).await.unwrap().is_none().then_some(())
    })
    .await;
    assert_eq!(opened_by(&shop, ADMIN, &all).await, ["another word for it"]);
    let links: i64 =
        sqlx::query_scalar("select count(*) from password_resets").fetch_one(&shop.database.pool).await.unwrap();
    assert_eq!(links, 0, "a link that was given out sets no other");
    assert_eq!(customer.get("/api/v1/auth/me").await.status, 200);
    assert!(shop.sessions.get(of_customer.sid).await.unwrap().is_some());

    // Back to the first is new as well.
    assert_eq!(shop.first_admin(ADMIN, PASSWORD).await.unwrap(), None);
    assert_eq!(opened_by(&shop, ADMIN, &all).await, [PASSWORD]);
}

#[tokio::test]
async fn of_two_admins_with_one_password_somebody_is_told_until_there_is_one() {
    let put = |path: &str| (Method::PUT, format!("{path}/roles"), Some(json!({ "roles": ["staff"] }).to_string()));
    let post = |path: &str| (Method::POST, format!("{path}/disable"), None);
    let delete = |path: &str| (Method::DELETE, path.to_owned(), None);
    for act in [&put as &dyn Fn(&str) -> _, &post, &delete] {
        let shop = Shop::open().await;
        shop.first_admin(ADMIN, PASSWORD).await.unwrap();
        let (_, earlier) = shop.person(&shop.log_in(ADMIN, PASSWORD).await).await;
        for _ in 0..2 {
            assert_eq!(shop.first_admin("ada@example.com", PASSWORD).await.unwrap().unwrap(), EARLIER);
        }
        let (admin, _) = shop.person(&shop.log_in("ada@example.com", PASSWORD).await).await;
        let (method, path, body): (Method, String, Option<String>) = act(&format!("/api/v1/users/{}", earlier.sub));
        let answer = admin.send(method, &path, body).await;
        assert!(answer.status < 300, "{path}: {}", answer.body);
        assert_eq!(shop.first_admin("ada@example.com", PASSWORD).await.unwrap(), None, "{path}");
    }
}

#[tokio::test]
async fn an_earlier_admin_with_a_password_of_their_own_is_one_like_any_other() {
    let shop = Shop::open().await;
    shop.first_admin(ADMIN, PASSWORD).await.unwrap();
    // Another password in the same step: the earlier one keeps what stood there before, and is told of all the same.
    assert_eq!(shop.first_admin("ada@example.com", "another word for it").await.unwrap().unwrap(), EARLIER);
    assert_eq!(opened_by(&shop, ADMIN, &[PASSWORD, "another word for it"]).await, [PASSWORD]);
    let (earlier, _) = shop.person(&shop.log_in(ADMIN, PASSWORD).await).await;
    change_password(&earlier, PASSWORD, "a word of my own").await;
    assert_eq!(shop.first_admin("ada@example.com", "another word for it").await.unwrap(), None);
}

#[tokio::test]
async fn an_admin_who_is_named_again_has_what_stands_in_the_secret_by_then() {
    let shop = Shop::open().await;
    shop.first_admin(ADMIN, PASSWORD).await.unwrap();
    shop.first_admin("ada@example.com", PASSWORD).await.unwrap();
    shop.first_admin("ada@example.com", "another word for it").await.unwrap();
    let notice = shop.first_admin(ADMIN, "another word for it").await.unwrap().unwrap();
    assert!(notice.contains("the earlier first admin ada@example.com still is"), "{notice}");
    assert_eq!(opened_by(&shop, ADMIN, &[PASSWORD, "another word for it"]).await, ["another word for it"]);
}

/// Naming somebody is no reason to take their password away.
#[tokio::test]
async fn an_admin_whom_another_admin_made_keeps_their_password_until_another_stands_in_the_secret() {
    let shop = Shop::open().await;
    shop.first_admin(ADMIN, "another word for it").await.unwrap();
    shop.somebody("ada@example.com", "admin").await;
    assert_eq!(shop.first_admin("ada@example.com", "another word for it").await.unwrap().unwrap(), EARLIER);
    assert_eq!(opened_by(&shop, "ada@example.com", &[PASSWORD, "another word for it"]).await, [PASSWORD]);
    shop.first_admin("ada@example.com", "a third word for it").await.unwrap();
    assert_eq!(opened_by(&shop, "ada@example.com", &[PASSWORD, "a third word for it"]).await, ["a third word for it"]);
}

#[tokio::test]
async fn two_migrations_at_once_make_one_admin() {
    let shop = Shop::open().await;
    let (one, other) = tokio::join!(shop.first_admin(ADMIN, PASSWORD), shop.first_admin(ADMIN, PASSWORD));
    assert_eq!((one.unwrap(), other.unwrap()), (None, None));
    assert_eq!(opened_by(&shop, ADMIN, &[PASSWORD]).await, [PASSWORD]);
}
