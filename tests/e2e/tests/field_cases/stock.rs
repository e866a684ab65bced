//! Stock races.

use std::time::Duration;

use e2e::person::unique;
use e2e::{Person, throughout};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// One cancelled order put its pieces back twice: <https://github.com/woocommerce/woocommerce/issues/22489>,
/// <https://github.com/woocommerce/woocommerce/issues/27504>. The reservation may arrive after the cancel.
#[tokio::test]
async fn an_order_that_is_called_off_while_its_stock_is_reserved_gives_it_back_once() {
    let (admin, ada) = (Person::admin().await, Person::customer().await);
    let product = admin.sell(5).await;
    let mut people = JoinSet::new();
    for _ in 0..2 {
        let (ada, product) = (ada.clone(), product.clone());
        people.spawn(async move {
            let order = ada.order(&product, 2, None).await;
            let cancels = (ada.cancel(&order), ada.cancel(&order), ada.cancel(&order), ada.cancel(&order));
            let answers: [_; 4] = tokio::join!(cancels.0, cancels.1, cancels.2, cancels.3).into();
            assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
            ada.reaches(&order, "cancelled").await;
        });
    }
    people.join_all().await;
    admin.sees_stock(&product, [5, 0, 5]).await;
    let before = [5, 0, 5].map(Value::from);
    throughout(Duration::from_secs(2), "all five are there", || async { admin.stock(&product).await == before }).await;
}

/// An admin saved a page that was opened before a sale, and the sold pieces were back in stock:
/// <https://github.com/woocommerce/woocommerce/issues/16780>, <https://github.com/PrestaShop/PrestaShop/issues/37983>,
/// <https://github.com/magento/inventory/issues/538>. A count is the write where it matters.
#[tokio::test]
async fn a_count_that_stands_on_the_stock_of_before_a_sale_is_refused() {
    let (admin, ada) = (Person::admin().await, Person::customer().await);
    let product = admin.sell(10).await;
    let path = format!("/api/v1/products/{product}/stock");
    let opened = admin.get(&path).await;
    let tag = opened.header("etag").expect("an ETag").to_owned();
    let order = ada.order(&product, 3, Some("tok_success")).await;
    ada.reaches(&order, "paid").await;
    admin.sees_stock(&product, [7, 0, 7]).await;
    let count = json!({ "on_hand": 10 }).to_string();
    let saved = admin.send(Method::PUT, &path, &[("if-match", &tag)], Some(count)).await;
    assert_eq!((saved.status, saved.code()), (412, "version_mismatch"), "{}", saved.body);
    admin.sees_stock(&product, [7, 0, 7]).await;
}

/// Read, add, write back: deliveries and sales of the same second were lost:
/// <https://github.com/nopSolutions/nopCommerce/issues/8085>, <https://github.com/woocommerce/woocommerce/pull/26039>.
#[tokio::test]
async fn deliveries_and_sales_of_the_same_second_all_count() {
    let (admin, ada) = (Person::admin().await, Person::customer().await);
    let product = admin.sell(10).await;
    let path = format!("/api/v1/products/{product}/stock/adjustments");
    let mut at_once = JoinSet::new();
    let one_key = unique();
    for (by, key) in (0..12).map(|_| (1, unique())).chain((0..6).map(|_| (10, one_key.clone()))) {
        let (admin, path) = (admin.clone(), path.clone());
        at_once.spawn(async move {
            let body = json!({ "by": by, "reason": "delivery" }).to_string();
            let made = admin.send(Method::POST, &path, &[("idempotency-key", &key)], Some(body)).await;
            assert!(made.status == 201 || made.code() == "idempotency_key_in_use", "{}", made.body);
        });
    }
    for _ in 0..4 {
        let (ada, product) = (ada.clone(), product.clone());
        at_once.spawn(async move {
            let order = ada.order(&product, 1, Some("tok_success")).await;
            ada.reaches(&order, "paid").await;
        });
    }
    at_once.join_all().await;
    admin.sees_stock(&product, [28, 0, 28]).await;
}
