//! Orders, idempotency, races of cancels and refunds.

use std::time::Duration;

use e2e::person::unique;
use e2e::{Person, throughout, within};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// The order was called off as unpaid while the provider took the money:
/// <https://github.com/woocommerce/woocommerce/issues/20928>, <https://github.com/woocommerce/woocommerce/issues/14625>.
/// The unknown outcome is looked up and given back.
#[tokio::test]
async fn money_that_was_taken_while_the_order_was_called_off_goes_back() {
    let (admin, ada) = (Person::admin().await, Person::customer().await);
    let product = admin.sell(5).await;
    let (order, payment) = ada.order_to_pay(&product, 2).await;
    let path = format!("/api/v1/payments/{payment}");
    // The provider takes the money, and its answer is lost.
    let paying = tokio::spawn({
        let (ada, payment) = (ada.clone(), payment.clone());
        async move { ada.pay(&payment, "tok_timeout").await }
    });
    within(Duration::from_secs(10), "the provider is at work", || async {
        (ada.get(&path).await.body["status"] == "processing").then_some(())
    })
    .await;
    assert_eq!(ada.cancel(&order).await.status, 200);
    within(Duration::from_mins(2), "the money is known and given back", || async {
        let payment = ada.get(&path).await.body;
        let (captured, refunded) = (&payment["amount_captured"], &payment["amount_refunded"]);
        (payment["status"] == "closed" && *captured == 2500 && refunded == captured).then_some(())
    })
    .await;
    let paid = paying.await.expect("an answer");
    assert!([202, 409].contains(&paid.status), "{}", paid.body);
    ada.sees_refunded(&order, &payment, 2500).await;
    ada.reaches(&order, "cancelled").await;
    admin.sees_stock(&product, [5, 0, 5]).await;
    let late = ada.pay(&payment, "tok_success").await;
    assert_eq!((late.status, late.code()), (409, "payment_closed"), "{}", late.body);
}

/// The same key from another customer was answered with the first one's data:
/// <https://github.com/paveg/hono-idempotency/issues/126>, <https://github.com/nensii21/devlink/issues/773>.
#[tokio::test]
async fn a_key_is_a_persons_own() {
    let product = Person::admin().await.sell(5).await;
    let key = unique();
    let body = json!({ "items": [{ "product_id": product, "quantity": 1 }] }).to_string();
    let (ada, eve) = (Person::customer().await, Person::customer().await);
    let place = async |person: &Person| {
        let placed =
            person.send(Method::POST, "/api/v1/orders", &[("idempotency-key", &key)], Some(body.clone())).await;
        assert_eq!(placed.status, 201, "{}", placed.body);
        format!("/api/v1/orders/{}", placed.id())
    };
    let (of_ada, of_eve) = (place(&ada).await, place(&eve).await);
    assert_ne!(of_ada, of_eve);
    assert_eq!((ada.get(&of_eve).await.status, eve.get(&of_ada).await.status), (404, 404));
    assert_eq!((ada.get(&of_ada).await.status, eve.get(&of_eve).await.status), (200, 200));
}

/// An order was sent and called off; whether its goods were back in stock was anybody's guess:
/// <https://github.com/magento/magento2/issues/21517>, <https://github.com/medusajs/medusa/issues/12561>.
#[tokio::test]
async fn an_order_is_sent_or_called_off_and_its_goods_and_money_agree() {
    let (admin, ada) = (Person::admin().await, Person::customer().await);
    let product = admin.sell(5).await;
    let mut sent = 0;
    for _ in 0..5 {
        let order = ada.order(&product, 1, Some("tok_success")).await;
        let payment = ada.reaches(&order, "paid").await["payment_id"].as_str().expect("an id").to_owned();
        let fulfil = format!("/api/v1/orders/{order}/fulfil");
        let nothing = json!({});
        let (fulfilled, cancelled) = tokio::join!(admin.post(&fulfil, &nothing), ada.cancel(&order));
        let mut statuses = [fulfilled.status, cancelled.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{} {}", fulfilled.body, cancelled.body);
        if fulfilled.status == 200 {
            sent += 1;
            assert_eq!(ada.reaches(&order, "fulfilled").await["amount_refunded"], 0);
        } else {
            ada.reaches(&order, "cancelled").await;
            ada.sees_refunded(&order, &payment, 1250).await;
        }
    }
    admin.sees_stock(&product, [5 - sent, 0, 5 - sent]).await;
}

/// More was given back than was taken, by cancels at the same time: <https://github.com/killbill/killbill/issues/334>,
/// <https://github.com/KanishJebaMathewM/Truxify/pull/3654>.
#[tokio::test]
async fn many_who_call_one_paid_order_off_have_it_given_back_once() {
    let (admin, ada) = (Person::admin().await, Person::customer().await);
    let product = admin.sell(5).await;
    let order = ada.order(&product, 2, Some("tok_success")).await;
    let payment = ada.reaches(&order, "paid").await["payment_id"].as_str().expect("an id").to_owned();
    let mut cancels = JoinSet::new();
    for number in 0..8 {
        let (person, order) = (if number % 2 == 0 { ada.clone() } else { admin.clone() }, order.clone());
        cancels.spawn(async move { person.cancel(&order).await.status });
    }
    assert_eq!(cancels.join_all().await, [200; 8]);
    ada.sees_refunded(&order, &payment, 2500).await;
    admin.sees_stock(&product, [5, 0, 5]).await;
    let (paths, all) =
        ([format!("/api/v1/orders/{order}"), format!("/api/v1/payments/{payment}")], [5, 0, 5].map(Value::from));
    throughout(Duration::from_secs(3), "it was given back once", || async {
        let mut refunded = true;
        for path in &paths {
            refunded &= ada.get(path).await.body["amount_refunded"] == 2500;
        }
        refunded && admin.stock(&product).await == all
    })
    .await;
}
