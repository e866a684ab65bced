//! `/api/v1/users`: people, as staff and admins keep them.

use ecommerce_redis::Session;
use ecommerce_testing::{Answer, Client, eventually, scale};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::shop::{PASSWORD, Shop};

const USERS: &str = "/api/v1/users";

async fn put_roles(admin: &Client, user: &str, roles: &[&str]) -> Answer {
    let body = json!({ "roles": roles }).to_string();
    admin.send(Method::PUT, &format!("{USERS}/{user}/roles"), Some(body)).await
}

async fn delete(client: &Client, path: &str) -> Answer {
    client.send(Method::DELETE, path, None).await
}

fn emails(page: &Answer) -> Vec<String> {
    let items = page.body["items"].as_array().unwrap_or_else(|| panic!("no items in {}", page.body));
    items.iter().map(|user| user["email"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_operation_is_open_to_the_roles_it_is_for() {
    let shop = Shop::open().await;
    let (customer, claims) = shop.customer("ada@example.com").await;
    let (staff, _) = shop.somebody("staff@example.com", "staff").await;
    let user = format!("{USERS}/{}", claims.sub);
    for (method, path, staff_may) in [
        (Method::GET, USERS.to_owned(), false),
        (Method::POST, USERS.to_owned(), false),
        (Method::GET, user.clone(), true),
        (Method::DELETE, user.clone(), false),
        (Method::PUT, format!("{user}/roles"), false),
        (Method::POST, format!("{user}/disable"), false),
        (Method::POST, format!("{user}/enable"), false),
        (Method::POST, format!("{user}/password-reset"), false),
    ] {
        for (client, may) in [(&customer, false), (&staff, staff_may)] {
            let answer = client.send(method.clone(), &path, None).await;
            let expected = if may { (200, "") } else { (403, "role_required") };
            assert_eq!((answer.status, answer.code()), expected, "{method} {path}");
        }
        let answer = shop.anonymous.send(method.clone(), &path, None).await;
        assert_eq!((answer.status, answer.code()), (401, "login_required"), "{method} {path}");
    }
}

#[tokio::test]
async fn staff_read_whose_order_it_is() {
    let shop = Shop::open().await;
    let (_, claims) = shop.customer("ada@example.com").await;
    let (staff, _) = shop.somebody("staff@example.com", "staff").await;
    let user = staff.get(&format!("{USERS}/{}", claims.sub)).await;
    assert_eq!(
        (user.status, &user.body["email"], &user.body["name"]),
        (200, &json!("ada@example.com"), &json!("Ada Lovelace"))
    );
    let nobody = staff.get(&format!("{USERS}/{}", shop.clock.new_id())).await;
    assert_eq!((nobody.status, nobody.code()), (404, "user_not_found"));
    assert_eq!(staff.get(&format!("{USERS}/me")).await.status, 404);
}

#[tokio::test]
async fn a_list_is_found_by_text_and_role_and_comes_in_pages_without_gap_or_repetition() {
    let shop = Shop::open().await;
    let (admin, _) = shop.admin().await;
    let made = sqlx::query(
        "insert into users (id, email, name, roles, created_at)
         select gen_random_uuid(), 'person' || n || '@example.com', case when n % 2 = 0 then 'Zoë %' else 'Max _' end,
           case when n % 10 = 0 then '{staff}'::text[] else '{customer}' end, now() from generate_series(1, 250) n",
    );
    made.execute(&shop.database.pool).await.unwrap();
    let mut found = Vec::new();
    let mut path = format!("{USERS}?limit=40");
    loop {
        let page = admin.get(&path).await;
        assert_eq!(page.status, 200, "{}", page.body);
        found.extend(emails(&page));
        let Some(cursor) = page.body["next_cursor"].as_str() else { break };
        path = format!("{USERS}?limit=40&cursor={cursor}");
    }
    assert_eq!(found.len(), 251);
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 251);

    let count = async |query: &str| emails(&admin.get(&format!("{USERS}?limit=100&{query}")).await).len();
    assert_eq!(count("role=staff").await, 25);
    assert_eq!(count("role=admin").await, 1);
    assert_eq!(count("q=PERSON7").await, 11);
    assert_eq!(count("q=zo%C3%AB").await, 100);
    assert_eq!(count("q=%25&role=staff").await, 25, "a wildcard is a character");
    assert_eq!(count("q=%5F%25").await, 0);
    assert_eq!(count(&format!("q={}", "x".repeat(5_000))).await, 0);
    for wrong in ["role=root", "limit=0", "limit=101", "limit=x"] {
        let answer = admin.get(&format!("{USERS}?{wrong}")).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid_query"), "{wrong}");
    }
    assert_eq!(admin.get(&format!("{USERS}?cursor=x")).await.code(), "invalid_cursor");
}

#[tokio::test]
async fn an_admin_makes_a_colleague_who_logs_in_at_once_or_with_a_link() {
    let shop = Shop::open().await;
    let (admin, _) = shop.admin().await;
    let body = json!({ "email": "Grace@example.com", "name": "Grace", "roles": ["staff"], "password": PASSWORD });
    let made = admin.post(USERS, body.clone()).await;
    assert_eq!((made.status, &made.body["roles"]), (201, &json!(["staff"])), "{}", made.body);
    let location = made.header("location").unwrap().to_owned();
    assert_eq!(admin.get(&location).await.body["email"], "grace@example.com");
    assert_eq!(shop.claims(&shop.log_in("grace@example.com", PASSWORD).await).await.roles.to_string(), "staff");
    assert_eq!(admin.post(USERS, body).await.code(), "email_taken");

    let made = admin.post(USERS, json!({ "email": "hedy@example.com", "name": "Hedy" })).await;
    assert_eq!(made.body["roles"], json!(["customer"]));
    for password in ["", PASSWORD] {
        assert_eq!(shop.log_in("hedy@example.com", password).await.code(), "wrong_credentials");
    }
    let link = admin.post(&format!("{USERS}/{}/password-reset", made.body["id"].as_str().unwrap()), Value::Null).await;
    assert_eq!(link.status, 201, "{}", link.body);
    let reset = json!({ "token": link.body["token"], "password": PASSWORD });
    assert_eq!(shop.anonymous.post("/api/v1/auth/password/reset", reset).await.status, 204);
    assert_eq!(shop.log_in("hedy@example.com", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn what_is_wrong_with_a_new_user_is_named() {
    let shop = Shop::open().await;
    let (admin, _) = shop.admin().await;
    for (body, sentence) in [
        (json!({ "email": "ada", "name": "Ada" }), "name@example.com"),
        (json!({ "email": "ada@example.com" }), "missing field `name`"),
        (json!({ "email": "ada@example.com", "name": "Ada", "roles": [] }), "at least one"),
        (json!({ "email": "ada@example.com", "name": "Ada", "roles": ["root"] }), "root"),
        (json!({ "email": "ada@example.com", "name": "Ada", "roles": "admin" }), "sequence"),
        (json!({ "email": "ada@example.com", "name": "Ada", "password": "adaadaada" }), "password"),
        (json!({ "email": "ada@example.com", "name": "Ada", "id": 1 }), "unknown field"),
    ] {
        let answer = admin.post(USERS, body.clone()).await;
        assert_eq!((answer.status, answer.code()), (422, "invalid_body"), "{body}");
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(detail.contains(sentence), "{detail}");
    }
}

#[tokio::test]
async fn other_roles_are_felt_by_the_session_that_stands_and_its_refresh_has_them() {
    let shop = Shop::open().await;
    let (admin, _) = shop.admin().await;
    shop.register("ada@example.com").await;
    let login = shop.log_in("ada@example.com", PASSWORD).await;
    let claims = shop.claims(&login).await;
    let answer = put_roles(&admin, &claims.sub.to_string(), &["staff", "customer"]).await;
    assert_eq!((answer.status, &answer.body["roles"]), (200, &json!(["customer", "staff"])), "{}", answer.body);
    let held = shop.sessions.get(claims.sid).await.unwrap();
    assert_eq!(held, Some(Session { user_id: claims.sub, roles_version: 2 }));
    let next = shop.claims(&shop.refresh(login.body["refresh_token"].as_str().unwrap()).await).await;
    assert_eq!((next.roles.to_string().as_str(), next.ver), ("customer,staff", 2));

    assert_eq!(put_roles(&admin, &claims.sub.to_string(), &["staff", "customer"]).await.status, 200);
    let same = shop.sessions.get(claims.sid).await.unwrap().unwrap();
    assert_eq!(same.roles_version, 2, "the same roles are no change");
}

#[tokio::test]
async fn roles_that_are_none_are_refused() {
    let shop = Shop::open().await;
    let (admin, claims) = shop.admin().await;
    let path = format!("{USERS}/{}/roles", claims.sub);
    for body in [
        json!({}),
        json!({ "roles": [] }),
        json!({ "roles": null }),
        json!({ "roles": ["root"] }),
        json!({ "roles": ["Admin"] }),
        json!({ "roles": "admin" }),
        json!({ "roles": ["admin"], "x": 1 }),
    ] {
        let answer = admin.send(Method::PUT, &path, Some(body.to_string())).await;
        assert_eq!((answer.status, answer.code()), (422, "invalid_body"), "{body}: {}", answer.body);
    }
    let nobody = put_roles(&admin, &shop.clock.new_id().to_string(), &["staff"]).await;
    assert_eq!((nobody.status, nobody.code()), (404, "user_not_found"));
}

#[tokio::test]
async fn a_disabled_user_is_out_at_once_and_in_again_when_enabled() {
    let shop = Shop::open().await;
    let (admin, _) = shop.admin().await;
    shop.register("ada@example.com").await;
    let login = shop.log_in("ada@example.com", PASSWORD).await;
    let (ada, claims) = shop.person(&login).await;
    let path = format!("{USERS}/{}", claims.sub);
    for _ in 0..2 {
        let answer = admin.post(&format!("{path}/disable"), Value::Null).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.body["disabled_at"].is_string());
    }
    assert_eq!(shop.sessions.get(claims.sid).await.unwrap(), None);
    assert_eq!(ada.get("/api/v1/auth/me").await.code(), "session_ended");
    assert_eq!(shop.refresh(login.body["refresh_token"].as_str().unwrap()).await.code(), "session_ended");
    assert_eq!(shop.log_in("ada@example.com", PASSWORD).await.code(), "wrong_credentials");

    let enabled = admin.post(&format!("{path}/enable"), Value::Null).await;
    assert_eq!((enabled.status, enabled.body.get("disabled_at")), (200, None));
    assert_eq!(shop.refresh(login.body["refresh_token"].as_str().unwrap()).await.code(), "session_ended");
    assert_eq!(shop.log_in("ada@example.com", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_deleted_persons_name_and_address_are_nowhere_and_the_address_is_free() {
    let shop = Shop::open().await;
    let (admin, _) = shop.admin().await;
    let (_, claims) = shop.customer("ada@example.com").await;
    let path = format!("{USERS}/{}", claims.sub);
    assert_eq!(delete(&admin, &path).await.status, 204);
    assert_eq!(shop.sessions.get(claims.sid).await.unwrap(), None);
    for (method, rest) in [
        (Method::GET, ""),
        (Method::DELETE, ""),
        (Method::POST, "/disable"),
        (Method::POST, "/enable"),
        (Method::POST, "/password-reset"),
    ] {
        let answer = admin.send(method, &format!("{path}{rest}"), None).await;
        assert_eq!((answer.status, answer.code()), (404, "user_not_found"), "{rest}");
    }
    assert_eq!(emails(&admin.get(USERS).await), ["admin@example.com"]);
    let left: i64 = sqlx::query_scalar(
        "select count(*) from users full join sessions on user_id = users.id
         where concat(users::text, sessions::text) ~* 'ada|lovelace|argon2|192[.]0[.]2'",
    )
    .fetch_one(&shop.database.pool)
    .await
    .unwrap();
    assert_eq!(left, 1, "the admin's own hash alone");
    assert_eq!(shop.register("ada@example.com").await.status, 201);
}

/// F29: the only admin gave the role up, and only the database could bring it back.
#[tokio::test]
async fn the_last_admin_who_can_log_in_is_not_lost() {
    let shop = Shop::open().await;
    let (admin, claims) = shop.admin().await;
    let own = format!("{USERS}/{}", claims.sub);
    // Neither of these is one who could stand in: disabled, and without a password.
    let (_, disabled) = shop.somebody("old@example.com", "admin").await;
    assert_eq!(admin.post(&format!("{USERS}/{}/disable", disabled.sub), Value::Null).await.status, 200);
    let body = json!({ "email": "new@example.com", "name": "New", "roles": ["admin"] });
    assert_eq!(admin.post(USERS, body).await.status, 201);
    for answer in [
        put_roles(&admin, &claims.sub.to_string(), &["customer"]).await,
        admin.post(&format!("{own}/disable"), Value::Null).await,
        delete(&admin, &own).await,
        delete(&admin, "/api/v1/auth/me").await,
    ] {
        assert_eq!((answer.status, answer.code()), (409, "last_admin"));
    }
    assert_eq!(put_roles(&admin, &claims.sub.to_string(), &["admin", "customer"]).await.status, 200);
    assert_eq!(shop.log_in("admin@example.com", PASSWORD).await.status, 200);

    shop.somebody("second@example.com", "admin").await;
    assert_eq!(put_roles(&admin, &claims.sub.to_string(), &["customer"]).await.status, 200);
}

#[tokio::test]
async fn of_two_admins_who_take_each_other_the_role_at_once_one_stays() {
    let shop = Shop::open().await;
    let (first, one) = shop.somebody("one@example.com", "admin").await;
    let (second, two) = shop.somebody("two@example.com", "admin").await;
    for round in 0..scale(200, 20) {
        let (away, out) = (two.sub.to_string(), format!("{USERS}/{}/disable", one.sub));
        let (demoted, disabled) = tokio::join!(put_roles(&first, &away, &["customer"]), second.post(&out, Value::Null));
        let mut statuses = [demoted.status, disabled.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "round {round}");
        sqlx::query("update users set roles = '{admin}', disabled_at = null")
            .execute(&shop.database.pool)
            .await
            .unwrap();
    }
}

/// A login that has proven the password of before, and a disabling: whoever is later, nobody is in.
#[tokio::test]
async fn a_login_beside_a_disabling_leaves_no_session() {
    let shop = Shop::open().await;
    let (admin, _) = shop.admin().await;
    let user = shop.register("ada@example.com").await.body["id"].as_str().unwrap().to_owned();
    for round in 0..scale(200, 20) {
        let mut logins = JoinSet::new();
        for _ in 0..2 {
            let client = shop.anonymous.clone();
            let body = json!({ "email": "ada@example.com", "password": PASSWORD });
            logins.spawn(async move { client.post("/api/v1/auth/login", body).await });
        }
        let disabled = admin.post(&format!("{USERS}/{user}/disable"), Value::Null).await;
        assert_eq!(disabled.status, 200);
        for login in logins.join_all().await {
            if login.status == 200 {
                let claims = shop.claims(&login).await;
                assert_eq!(shop.sessions.get(claims.sid).await.unwrap(), None, "round {round}");
            }
        }
        let standing: i64 = sqlx::query_scalar(
            "select count(*) from sessions join users on user_id = users.id where email = 'ada@example.com' and ended_at is null",
        )
        .fetch_one(&shop.database.pool)
        .await
        .unwrap();
        assert_eq!(standing, 0, "round {round}");
        assert_eq!(admin.post(&format!("{USERS}/{user}/enable"), Value::Null).await.status, 200);
    }
}

#[tokio::test]
async fn a_change_of_roles_while_redis_is_away_is_told_when_it_is_back() {
    let shop = Shop::open().await;
    let (admin, _) = shop.admin().await;
    let (_, claims) = shop.customer("ada@example.com").await;
    shop.to_redis.cut();
    assert_eq!(put_roles(&admin, &claims.sub.to_string(), &["staff"]).await.status, 200);
    shop.to_redis.mend();
    eventually("redis hears of it", || async {
        let held = shop.sessions.get(claims.sid).await.unwrap().unwrap();
        (held.roles_version == 2).then_some(())
    })
    .await;
}
