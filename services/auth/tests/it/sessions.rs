//! `/api/v1/auth/sessions`: where somebody is logged in.

use ecommerce_contract::headers;
use ecommerce_testing::Client;
use reqwest::Method;
use serde_json::json;

use crate::shop::{PASSWORD, Shop};

const SESSIONS: &str = "/api/v1/auth/sessions";

async fn end(client: &Client, id: &str) -> u16 {
    client.send(Method::DELETE, &format!("{SESSIONS}/{id}"), None).await.status
}

#[tokio::test]
async fn a_person_sees_their_own_logins_and_from_where() {
    let shop = Shop::open().await;
    let (ada, claims) = shop.customer("ada@example.com").await;
    shop.customer("bob@example.com").await;
    let elsewhere = shop.anonymous.clone().with(headers::CLIENT_ADDRESS, "192.0.2.7").with("user-agent", "Firefox/140");
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    assert_eq!(elsewhere.post("/api/v1/auth/login", body).await.status, 200);
    let list = ada.get(SESSIONS).await;
    assert_eq!((list.status, &list.body["next_cursor"]), (200, &json!(null)));
    let items = list.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!((&items[0]["address"], &items[0]["user_agent"]), (&json!("192.0.2.7"), &json!("Firefox/140")));
    assert_eq!((&items[0]["is_present"], &items[1]["is_present"]), (&json!(false), &json!(true)));
    assert_eq!(items[1]["id"], claims.sid.to_string());
}

#[tokio::test]
async fn a_person_ends_a_login_of_theirs_and_of_nobody_else() {
    let shop = Shop::open().await;
    let (ada, first) = shop.customer("ada@example.com").await;
    let (_, second) = shop.person(&shop.log_in("ada@example.com", PASSWORD).await).await;
    let (_, other) = shop.customer("bob@example.com").await;
    assert_eq!(end(&ada, &second.sid.to_string()).await, 204);
    assert_eq!(shop.sessions.get(second.sid).await.unwrap(), None);
    for id in [second.sid.to_string(), other.sid.to_string(), shop.clock.new_id().to_string()] {
        assert_eq!(end(&ada, &id).await, 404);
    }
    assert_eq!(ada.get("/api/v1/auth/me").await.status, 200);
    assert!(shop.sessions.get(other.sid).await.unwrap().is_some());
    assert_eq!(end(&ada, &first.sid.to_string()).await, 204, "one's own as well");
    assert_eq!(ada.get("/api/v1/auth/me").await.code(), "session_ended");
}

#[tokio::test]
async fn twenty_logins_stand_and_the_oldest_ends_for_one_more() {
    let shop = Shop::open().await;
    let (ada, first) = shop.customer("ada@example.com").await;
    let mut sids = vec![first.sid];
    for _ in 0..21 {
        sids.push(shop.claims(&shop.log_in("ada@example.com", PASSWORD).await).await.sid);
    }
    let (over, standing) = sids.split_at(2);
    for sid in over {
        assert_eq!(shop.sessions.get(*sid).await.unwrap(), None);
    }
    for sid in standing {
        assert!(shop.sessions.get(*sid).await.unwrap().is_some());
    }
    assert_eq!(ada.get("/api/v1/auth/me").await.code(), "session_ended");
}

#[tokio::test]
async fn what_the_client_calls_itself_is_cut_and_kept_as_it_is() {
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    for (agent, kept) in [
        ("x".repeat(5_000), "x".repeat(200)),
        ("'; drop table sessions; --".to_owned(), "'; drop table sessions; --".to_owned()),
    ] {
        let client = shop.anonymous.clone().with("user-agent", &agent);
        let login =
            client.post("/api/v1/auth/login", json!({ "email": "ada@example.com", "password": PASSWORD })).await;
        let (ada, _) = shop.person(&login).await;
        assert_eq!(ada.get(SESSIONS).await.body["items"][0]["user_agent"], kept);
    }
}
