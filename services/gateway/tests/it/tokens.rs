//! A token is ours, whole and good now, or there is no way in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ecommerce_testing::eventually;
use ecommerce_token::{LEEWAY, LIFETIME};
use reqwest::header::AUTHORIZATION;
use serde_json::json;
use time::Duration;

use crate::shop::{PRODUCT, Person, Shop, signer};

const ME: &str = "/api/v1/auth/me";
/// How seldom a token that names an unknown key makes the gateway ask for keys.
const SELDOM: Duration = Duration::seconds(10);

fn with_token(person: &Person, token: String) -> Person {
    Person { token, ..person.clone() }
}

#[tokio::test]
async fn without_a_token_the_answer_says_how_to_send_one() {
    let shop = Shop::open().await;
    let answer = shop.get(ME, None).await;
    assert_eq!((answer.status, answer.code()), (401, "login_required"));
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.body["request_id"].as_str(), answer.header("x-request-id"));
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let shop = Shop::open().await;
    let person = shop.person("customer").await;
    assert_eq!(shop.get(ME, Some(&person)).await.status, 200);
    shop.clock.advance(LIFETIME + LEEWAY);
    let answer = shop.get(ME, Some(&person)).await;
    assert_eq!((answer.status, answer.code()), (401, "token_expired"));
    assert_eq!(answer.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
}

#[tokio::test]
async fn a_token_that_was_changed_is_refused() {
    let shop = Shop::open().await;
    let person = shop.person("customer").await;
    let [header, claims, signature] = person.token.split('.').collect::<Vec<_>>().try_into().unwrap();
    let mut admin = person.claims.clone();
    admin.roles = "admin".parse().unwrap();
    let admin = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&admin).unwrap());
    let none = URL_SAFE_NO_PAD.encode(json!({ "typ": "JWT", "alg": "none" }).to_string());
    for token in [
        format!("{header}.{admin}.{signature}"),
        format!("{header}.{claims}."),
        format!("{none}.{claims}."),
        format!("{none}.{admin}.{signature}"),
        format!("{header}.{claims}"),
        "nonsense".to_owned(),
    ] {
        let answer = shop.get(ME, Some(&with_token(&person, token.clone()))).await;
        assert_eq!((answer.status, answer.code()), (401, "token_invalid"), "{token}");
    }
}

#[tokio::test]
async fn a_token_that_is_longer_than_any_of_ours_is_not_looked_at() {
    let shop = Shop::open().await;
    let person = shop.person("customer").await;
    for length in [4_097, 12_000] {
        let long = with_token(&person, "x".repeat(length));
        assert_eq!(shop.get(ME, Some(&long)).await.code(), "token_invalid", "{length}");
    }
}

#[tokio::test]
async fn an_address_that_sends_many_bad_tokens_is_told_to_wait_and_known_people_behind_it_are_not() {
    let shop = Shop::open_with(|config| config.trusted_proxies = 1).await;
    let (person, newcomer) = (shop.person("customer").await, shop.person("customer").await);
    assert_eq!(shop.get(ME, Some(&person)).await.status, 200);
    let ask = async |token: &str, address: &str| {
        let request = shop.http.get(format!("http://{}{ME}", shop.address)).bearer_auth(token);
        crate::shop::answer(request.header("x-forwarded-for", address).send().await.unwrap()).await
    };
    let of_an_unknown_key = signer(8).sign(&person.claims).unwrap();
    for _ in 0..101 {
        assert_eq!(ask(&of_an_unknown_key, "192.0.2.1").await.code(), "token_invalid", "it costs no signature");
    }
    // The claims of one under the signature of the other.
    let (claims, signature) = (newcomer.token.rsplit_once('.').unwrap().0, person.token.rsplit_once('.').unwrap().1);
    let forged = format!("{claims}.{signature}");
    for _ in 0..100 {
        assert_eq!(ask(&forged, "192.0.2.1").await.code(), "token_invalid");
    }
    let answer = ask(&forged, "192.0.2.1").await;
    assert_eq!((answer.status, answer.code()), (429, "too_many_bad_tokens"));
    assert_eq!(answer.header("retry-after"), Some("10"));
    assert_eq!(ask(&newcomer.token, "192.0.2.1").await.status, 429);
    assert_eq!(ask(&person.token, "192.0.2.1").await.status, 200, "a token that is known costs nothing");
    assert_eq!(ask(&newcomer.token, "192.0.2.2").await.status, 200);
}

#[tokio::test]
async fn a_token_of_another_shop_is_refused() {
    let shop = Shop::open().await;
    let foreign = shop.token(7, |claims| claims.aud = "other.default".to_owned());
    assert_eq!(shop.get(ME, Some(&foreign)).await.code(), "token_invalid");
}

#[tokio::test]
async fn one_authorization_of_the_bearer_scheme_is_read() {
    let shop = Shop::open().await;
    let person = shop.person("customer").await;
    let ask = async |values: &[String]| {
        let mut request = shop.http.get(format!("http://{}{ME}", shop.address));
        for value in values {
            request = request.header(AUTHORIZATION, value);
        }
        crate::shop::answer(request.send().await.unwrap()).await
    };
    let token = &person.token;
    assert_eq!(ask(&[format!("bearer {token}")]).await.status, 200);
    assert_eq!(ask(&[format!("Basic {token}")]).await.code(), "login_required");
    assert_eq!(ask(std::slice::from_ref(token)).await.code(), "token_invalid");
    assert_eq!(ask(&[format!("Bearer {token}"), format!("Bearer {token}")]).await.code(), "token_invalid");
}

#[tokio::test]
async fn a_public_route_does_not_look_at_a_token() {
    let shop = Shop::open().await;
    let stranger = shop.token(8, |_| {});
    let answer = shop.get(PRODUCT, Some(&stranger)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(crate::shop::received(&answer.body, "x-user-id"), [""; 0]);
}

#[tokio::test]
async fn before_auth_is_there_only_what_is_public_is_answered() {
    let shop = Shop::open_before_auth().await;
    let person = shop.person("customer").await;
    let answer = shop.get(ME, Some(&person)).await;
    assert_eq!((answer.status, answer.code()), (503, "keys_unavailable"));
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(shop.get(PRODUCT, None).await.status, 200);
    *shop.auth.seen.jwks.lock().unwrap() = Some(signer(7).jwks());
    eventually("the gateway asks again", || async { (shop.get(ME, Some(&person)).await.status == 200).then_some(()) })
        .await;
}

#[tokio::test]
async fn a_token_of_a_new_key_makes_the_gateway_ask_for_it_but_seldom() {
    let shop = Shop::open().await;
    let asked = || shop.auth.asked("/.well-known/jwks.json");
    let mut person = shop.person("customer").await;
    person.token = signer(9).sign(&person.claims).unwrap();

    shop.clock.advance(SELDOM);
    let before = asked();
    for _ in 0..5 {
        assert_eq!(shop.get(ME, Some(&person)).await.code(), "token_invalid");
    }
    assert_eq!(asked(), before + 1);

    *shop.auth.seen.jwks.lock().unwrap() = Some(signer(9).jwks());
    assert_eq!(shop.get(ME, Some(&person)).await.code(), "token_invalid");
    shop.clock.advance(SELDOM);
    assert_eq!(shop.get(ME, Some(&person)).await.status, 200);
}

#[tokio::test]
async fn a_withdrawn_key_is_forgotten_and_a_silent_auth_is_not() {
    let shop = Shop::open().await;
    let person = shop.person("customer").await;
    *shop.auth.seen.jwks.lock().unwrap() = None;
    shop.clock.advance(Duration::minutes(6));
    let before = shop.auth.asked("/.well-known/jwks.json");
    eventually("the gateway asks", || async { (shop.auth.asked("/.well-known/jwks.json") > before).then_some(()) })
        .await;
    assert_eq!(shop.get(ME, Some(&person)).await.status, 200);
    *shop.auth.seen.jwks.lock().unwrap() = Some(signer(9).jwks());
    eventually("the gateway asks again", || async {
        (shop.get(ME, Some(&person)).await.code() == "token_invalid").then_some(())
    })
    .await;
}
