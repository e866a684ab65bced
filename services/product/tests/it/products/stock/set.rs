use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::shop::Shop;

#[tokio::test]
async fn a_count_that_is_none_is_refused() {
    let shop = Shop::open().await;
    let id = shop.product(5).await;
    let path = format!("/api/v1/products/{id}/stock");
    for (body, status, code) in [
        ("{", 400, "malformed_json"),
        ("{}", 422, "invalid_body"),
        (r#"{"on_hand":-1}"#, 422, "invalid_body"),
        (r#"{"on_hand":1.5}"#, 422, "invalid_body"),
        (r#"{"on_hand":"5"}"#, 422, "invalid_body"),
        (r#"{"on_hand":1000000001}"#, 422, "invalid_body"),
        (r#"{"on_hand":99999999999999999999}"#, 422, "invalid_body"),
        (r#"{"on_hand":5,"reserved":0}"#, 422, "invalid_body"),
    ] {
        let answer = shop.staff.send(Method::PUT, &path, Some(body.to_owned())).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{body}");
    }
    let body = || Some(json!({ "on_hand": 9 }).to_string());
    assert_eq!(shop.customer.send(Method::PUT, &path, body()).await.code(), "role_required");
    assert_eq!(shop.set_stock(shop.clock.new_id().into(), 1).await.code(), "product_not_found");
    assert_eq!(shop.stock(id).await, (5, 0));
}

#[tokio::test]
async fn a_count_below_what_is_promised_is_refused() {
    let shop = Shop::open().await;
    let id = shop.product(5).await;
    shop.broker.publish(&shop.placed(shop.order_id(), &[(id, 3)])).await;
    shop.broker.next("order").await;
    let refused = shop.set_stock(id, 2).await;
    assert_eq!((refused.status, refused.code()), (409, "stock_below_reserved"));
    let set = shop.set_stock(id, 3).await;
    assert_eq!((set.status, set.body), (200, json!({ "on_hand": 3, "reserved": 3, "available": 0 })));
    assert_eq!(shop.available(id).await, 0);
}

#[tokio::test]
async fn who_changed_a_stock_is_written_down() {
    let shop = Shop::open().await;
    let id = shop.product(5).await;
    shop.set_stock(id, 5).await;
    shop.set_stock(id, 2).await;
    let kept: Vec<(i64, String, uuid::Uuid)> =
        sqlx::query_as("select by, reason, user_id from stock_adjustments where product_id = $1 order by id")
            .bind(id.0)
            .fetch_all(&shop.database.pool)
            .await
            .unwrap();
    let who = shop.staff.user_id().unwrap().0;
    assert_eq!(kept, [(5, "counted".to_owned(), who), (-3, "counted".to_owned(), who)]);
}

/// Each count stands on the one before it, and on the orders in between: the last one to be answered is the stock, and the
/// sum of what is written down is, too.
#[tokio::test]
async fn counts_at_the_same_time_do_not_lose_each_other() {
    let shop = Shop::open().await;
    let id = shop.product(50).await;
    let orders: Vec<_> = (0..10).map(|_| shop.placed(shop.order_id(), &[(id, 1)])).collect();
    let sell = join_all(orders.iter().map(|placed| shop.broker.publish(placed)));
    let (answers, _) = tokio::join!(join_all((20..60).map(|on_hand| shop.set_stock(id, on_hand))), sell);
    assert!(answers.iter().all(|answer| answer.status == 200));
    for _ in &orders {
        shop.broker.next("order").await;
    }
    let sum: i64 = sqlx::query_scalar("select sum(by)::bigint from stock_adjustments where product_id = $1")
        .bind(id.0)
        .fetch_one(&shop.database.pool)
        .await
        .unwrap();
    let (on_hand, reserved) = shop.stock(id).await;
    assert!((20..60).contains(&on_hand), "{on_hand}");
    assert_eq!((sum, reserved), (on_hand, 10));
}

/// An admin saves a page that was opened before a sale: the sold pieces are not back in stock.
#[tokio::test]
async fn a_count_that_stands_on_the_stock_of_before_a_sale_is_refused() {
    let shop = Shop::open().await;
    let id = shop.product(10).await;
    let path = format!("/api/v1/products/{id}/stock");
    let opened = shop.staff.get(&path).await;
    let staff = shop.staff.clone().with("if-match", opened.header("etag").unwrap());
    let save =
        async |on_hand: i64| staff.send(Method::PUT, &path, Some(json!({ "on_hand": on_hand }).to_string())).await;

    // What is set aside is still on the shelf: it was counted with the rest.
    let order_id = shop.order_id();
    shop.broker.publish(&shop.placed(order_id, &[(id, 3)])).await;
    shop.broker.next("order").await;
    let saved = save(10).await;
    assert_eq!((saved.status, saved.header("etag")), (200, Some("\"10-3\"")));

    shop.broker.publish(&shop.paid(order_id)).await;
    shop.eventually_stock(id, 7, 0).await;
    let late = save(10).await;
    assert_eq!((late.status, late.code()), (412, "version_mismatch"));
    assert_eq!(shop.stock(id).await, (7, 0));

    let read_again = shop.staff.get(&path).await.header("etag").unwrap().to_owned();
    let staff = shop.staff.clone().with("if-match", format!("\"99-0\", {read_again}"));
    assert_eq!(staff.send(Method::PUT, &path, Some(json!({ "on_hand": 6 }).to_string())).await.status, 200);
    assert_eq!(shop.stock(id).await, (6, 0));
}

#[tokio::test]
async fn if_match_is_a_strong_tag_of_this_stock_or_any() {
    let shop = Shop::open().await;
    let id = shop.product(10).await;
    let path = format!("/api/v1/products/{id}/stock");
    for (tag, status) in
        [("\"10-0\"", 200), ("*", 200), ("\"9-0\"", 412), ("W/\"10-0\"", 412), ("10-0", 412), ("", 412)]
    {
        let staff = shop.staff.clone().with("if-match", tag);
        let answer = staff.send(Method::PUT, &path, Some(json!({ "on_hand": 10 }).to_string())).await;
        assert_eq!(answer.status, status, "{tag}");
    }
    // Whether the product is there is asked first.
    let unknown = format!("/api/v1/products/{}/stock", shop.clock.new_id());
    let staff = shop.staff.clone().with("if-match", "\"0-0\"");
    assert_eq!(
        staff.send(Method::PUT, &unknown, Some(json!({ "on_hand": 1 }).to_string())).await.code(),
        "product_not_found"
    );
}
