//! Forgotten passwords: a link comes by mail, to whom there is an account for.

use auth::Config;
use ecommerce_testing::mail::Server;
use ecommerce_testing::{eventually, throughout};
use ecommerce_types::Clock;
use serde_json::json;
use time::Duration;

use crate::shop::{PASSWORD, Shop};

const NEW: &str = "a horse of another colour";

fn mail_through(server: &Server, smtp_tls: ecommerce_mail::Tls, config: &mut Config) {
    config.mail = ecommerce_mail::Settings {
        smtp_host: Some("localhost".to_owned()),
        smtp_port: Some(server.port),
        smtp_tls,
        smtp_ca_file: Some(server.authority()),
        mail_from: Some("shop@shop.example".parse().unwrap()),
        ..ecommerce_mail::Settings::default()
    };
    config.password_reset_url = Some("https://shop.example/reset?token={token}".parse().unwrap());
}

/// A shop that sends mail through this server.
async fn open(server: &Server, clock: Clock) -> Shop {
    Shop::open_with(clock, |mut config| {
        mail_through(server, ecommerce_mail::Tls::Starttls, &mut config);
        config
    })
    .await
}

/// The same, in clear text.
async fn open_plainly(server: &Server, clock: Clock) -> Shop {
    Shop::open_with(clock, |mut config| {
        mail_through(server, ecommerce_mail::Tls::None, &mut config);
        config
    })
    .await
}

async fn forgot(shop: &Shop, email: &str) -> (u16, usize) {
    let answer = shop.anonymous.post("/api/v1/auth/password/forgot", json!({ "email": email })).await;
    (answer.status, answer.bytes.len())
}

async fn reset(shop: &Shop, token: &str) -> u16 {
    shop.anonymous.post("/api/v1/auth/password/reset", json!({ "token": token, "password": NEW })).await.status
}

async fn waiting(shop: &Shop) -> i64 {
    sqlx::query_scalar("select count(*) from forgotten_passwords").fetch_one(&shop.database.pool).await.unwrap()
}

/// The token of the link in a mail's text.
fn token(mail: &serde_json::Value) -> String {
    let content = mail["content"].as_str().unwrap().replace("=\r\n", "").replace("=3D", "=");
    let (_, rest) = content.split_once("https://shop.example/reset?token=").unwrap_or_else(|| panic!("{content}"));
    rest.chars().take_while(|letter| !letter.is_whitespace()).collect()
}

#[tokio::test]
async fn a_link_comes_to_the_account_and_an_unknown_address_is_answered_alike() {
    let mut server = Server::start("starttls", &[]);
    let shop = open(&server, Clock::system()).await;
    shop.register("ada@example.com").await;
    let unknown = forgot(&shop, "nobody@example.com").await;
    assert_eq!((unknown, forgot(&shop, "Ada@example.com").await), ((202, 0), (202, 0)));
    let mail = server.taken().await;
    assert_eq!((&mail["to"][0], &mail["from"]), (&json!("ada@example.com"), &json!("shop@shop.example")));
    let token = token(&mail);
    assert_eq!(reset(&shop, &token).await, 204);
    assert_eq!(reset(&shop, &token).await, 422);
    assert_eq!(shop.log_in("ada@example.com", NEW).await.status, 200);
    eventually("all is done", || async { (waiting(&shop).await == 0).then_some(()) }).await;
    assert_eq!(server.rest(), "", "nobody else had mail");
}

#[tokio::test]
async fn what_is_asked_for_again_and_again_is_sent_three_times_in_ten_minutes() {
    let mut server = Server::start("starttls", &[]);
    let shop = open(&server, Clock::manual(Clock::system().now())).await;
    shop.register("ada@example.com").await;
    for _ in 0..3 {
        assert_eq!(forgot(&shop, "ada@example.com").await.0, 202);
        server.taken().await;
        eventually("it is done", || async { (waiting(&shop).await == 0).then_some(()) }).await;
    }
    for _ in 0..10 {
        assert_eq!(forgot(&shop, "ada@example.com").await.0, 202, "nobody is told");
    }
    throughout(std::time::Duration::from_millis(300), "nothing is to be sent", || async { waiting(&shop).await == 0 })
        .await;
    shop.clock.advance(Duration::minutes(10));
    assert_eq!(forgot(&shop, "ada@example.com").await.0, 202);
    server.taken().await;
}

#[tokio::test]
async fn a_link_that_a_busy_server_does_not_take_is_tried_again_and_one_that_is_refused_is_not() {
    let busy = Server::start("none", &["--behave", "busy"]);
    let shop = open_plainly(&busy, Clock::manual(Clock::system().now())).await;
    shop.register("ada@example.com").await;
    forgot(&shop, "ada@example.com").await;
    let next = async || {
        let query =
            sqlx::query_scalar::<_, bool>("select try_at - asked_at > interval '29 s' from forgotten_passwords");
        query.fetch_optional(&shop.database.pool).await.unwrap().unwrap_or(false)
    };
    eventually("it is tried", || async { next().await.then_some(()) }).await;
    let links = async || {
        let query = sqlx::query_scalar::<_, i64>("select count(*) from password_resets");
        query.fetch_one(&shop.database.pool).await.unwrap()
    };
    eventually("a link was made", || async { (links().await == 1).then_some(()) }).await;
    shop.clock.advance(Duration::seconds(31));
    eventually("it is tried again", || async { (links().await == 2).then_some(()) }).await;
    shop.clock.advance(Duration::hours(1));
    eventually("it is given up", || async { (waiting(&shop).await == 0).then_some(()) }).await;

    let refusing = Server::start("none", &["--refuse"]);
    let shop = open_plainly(&refusing, Clock::system()).await;
    shop.register("bob@example.com").await;
    forgot(&shop, "bob@example.com").await;
    eventually("it is given up at once", || async { (waiting(&shop).await == 0).then_some(()) }).await;
}

#[tokio::test]
async fn what_a_process_that_died_did_not_send_is_sent_by_another() {
    let mut server = Server::start("none", &[]);
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    let left = "insert into forgotten_passwords (email, asked_at, try_at) values ('ada@example.com', now(), now())";
    sqlx::query(left).execute(&shop.database.pool).await.unwrap();
    let mut config = shop.config.clone();
    mail_through(&server, ecommerce_mail::Tls::None, &mut config);
    shop.open_another(config).await;
    assert_eq!(reset(&shop, &token(&server.taken().await)).await, 204);
}

#[tokio::test]
async fn a_disabled_user_gets_no_link() {
    let server = Server::start("starttls", &[]);
    let shop = open(&server, Clock::system()).await;
    shop.register("ada@example.com").await;
    sqlx::query("update users set disabled_at = now()").execute(&shop.database.pool).await.unwrap();
    forgot(&shop, "ada@example.com").await;
    eventually("it is done", || async { (waiting(&shop).await == 0).then_some(()) }).await;
    assert_eq!(server.rest(), "");
    assert_eq!(shop.log_in("ada@example.com", PASSWORD).await.code(), "wrong_credentials");
}
