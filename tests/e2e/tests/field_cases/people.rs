//! Accounts, passwords, forms of e-mail addresses.

use std::time::Duration;

use e2e::person::unique;
use e2e::{Answer, Person, cluster, within};
use serde_json::json;
use tokio::task::JoinSet;

/// `Hello@…` and `hello@…` were two customers, and a telephone writes the first:
/// <https://github.com/medusajs/medusa/issues/14745>, <https://github.com/saleor/saleor/issues/11277>,
/// <https://github.com/vendurehq/vendure/issues/1515>.
#[tokio::test]
async fn one_mailbox_is_one_account_whatever_its_capitals() {
    let email = format!("Fc.Mixed-{}@Example.COM", unique());
    assert_eq!(register(&email, PASSWORD).await.status, 201);
    assert_eq!(log_in(&email.to_lowercase(), PASSWORD).await.status, 200);
    assert_eq!(log_in(&email.to_uppercase(), PASSWORD).await.status, 200);
    let again = register(&email.to_lowercase(), PASSWORD).await;
    assert_eq!((again.status, again.code()), (409, "email_taken"), "{}", again.body);
}

/// A double click at registering made one account and one "server error": <https://github.com/supabase/auth/pull/2712>,
/// <https://github.com/idenplane/idenplane/issues/254>.
#[tokio::test]
async fn of_many_equal_registrations_one_is_an_account_and_none_a_fault() {
    let email = format!("{}@example.com", unique());
    let mut at_once = JoinSet::new();
    for _ in 0..8 {
        let body = json!({ "email": email, "password": PASSWORD, "name": "Ada" });
        at_once.spawn(async move { Person::nobody().post("/api/v1/auth/register", &body).await });
    }
    let answers = at_once.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "{answers:?}");
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        let come_again = answer.status == 503 && answer.header("retry-after").is_some();
        assert!(come_again || answer.code() == "email_taken", "{} {}", answer.status, answer.body);
    }
}

/// Spaces were cut off at one of two doors; one word typed on two systems was two byte strings:
/// <https://github.com/wso2/product-is/issues/4689>, <https://github.com/openwebwork/webwork2/issues/912>,
/// <https://github.com/inmanta/inmanta-core/pull/10538>. Passwords are compared composed, and otherwise as they were typed.
#[tokio::test]
async fn a_password_is_compared_whole_however_its_letters_were_put_together() {
    let email = format!("{}@example.com", unique());
    let (composed, decomposed) = (" P\u{e4}ssw\u{f6}rd gr\u{f6}ße x ", " Pa\u{308}sswo\u{308}rd gro\u{308}ße x ");
    assert_eq!(register(&email, composed).await.status, 201);
    for (password, status) in [(composed, 200), (composed.trim(), 401), (decomposed, 200)] {
        assert_eq!(log_in(&email, password).await.status, status, "{password:?}");
    }
    let (email, long) = (format!("{}@example.com", unique()), "x y".repeat(35));
    assert_eq!(register(&email, &long).await.status, 201);
    assert_eq!(log_in(&email, &long).await.status, 200);
    assert_eq!(log_in(&email, &format!("{}z", &long[..104])).await.status, 401);
}

/// A constraint that is broken is logged by PostgreSQL with the values that broke it.
#[tokio::test]
async fn no_log_names_an_address_that_is_taken() {
    let email = format!("{}@example.com", unique());
    assert_eq!(register(&email, PASSWORD).await.status, 201);
    assert_eq!(register(&email, PASSWORD).await.code(), "email_taken");
    within(Duration::from_secs(10), "PostgreSQL logs the broken constraint", || async {
        cluster::log("postgres").await.contains("users_email").then_some(())
    })
    .await;
    for part in ["postgres", "auth", "gateway"] {
        assert!(!cluster::log(part).await.contains(&email), "the log of {part} names {email}");
    }
}

const PASSWORD: &str = "correct horse battery staple";

async fn register(email: &str, password: &str) -> Answer {
    unless_busy("register", &json!({ "email": email, "password": password, "name": "Ada" })).await
}

async fn log_in(email: &str, password: &str) -> Answer {
    unless_busy("login", &json!({ "email": email, "password": password })).await
}

/// Where many hash at once, the next one is told to come again.
async fn unless_busy(path: &str, body: &serde_json::Value) -> Answer {
    within(Duration::from_secs(30), "auth has room", || async {
        let answer = Person::nobody().post(&format!("/api/v1/auth/{path}"), body).await;
        (answer.status != 503).then_some(answer)
    })
    .await
}
