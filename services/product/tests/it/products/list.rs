use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::shop::{Shop, euro};

#[tokio::test]
async fn a_parameter_that_is_none_is_refused() {
    let shop = Shop::open().await;
    for wrong in ["limit=0", "limit=101", "limit=ten", "limit=", "category="] {
        let answer = shop.anonymous.get(&format!("/api/v1/products?{wrong}")).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid_query"), "{wrong}: {}", answer.body);
    }
    for wrong in ["cursor=forged", "cursor="] {
        let answer = shop.anonymous.get(&format!("/api/v1/products?{wrong}")).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid_cursor"), "{wrong}: {}", answer.body);
    }
}

/// Links come with more than their maker has written: from newsletters, from search engines, from a cache that is to be missed.
#[tokio::test]
async fn a_parameter_that_nobody_knows_is_passed_over() {
    let shop = Shop::open().await;
    let id = shop.product(0).await;
    let answer = shop.anonymous.get("/api/v1/products?utm_source=mail&limit=1&colour=blue&flag&utm_source=%FF").await;
    assert_eq!((answer.status, &answer.body["items"][0]["id"]), (200, &json!(id)));
}

#[tokio::test]
async fn pages_hold_every_product_once_newest_first() {
    let shop = Shop::open().await;
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(shop.product(0).await.to_string());
    }
    let (mut seen, mut cursor, mut sizes) = (Vec::new(), String::new(), Vec::new());
    loop {
        let page = shop.anonymous.get(&format!("/api/v1/products?limit=3{cursor}")).await.body;
        let items = page["items"].as_array().unwrap();
        sizes.push(items.len());
        seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        match &page["next_cursor"] {
            Value::String(next) => cursor = format!("&cursor={next}"),
            _ => break,
        }
    }
    assert_eq!(sizes, [3, 3, 1]);
    assert_eq!(BTreeSet::from_iter(&seen), BTreeSet::from_iter(&made));
    assert!(seen.is_sorted_by(|newer, older| newer > older), "{seen:?}");
}

#[tokio::test]
async fn a_category_lists_its_own() {
    let shop = Shop::open().await;
    for (sku, category) in [("A", "kitchen"), ("B", "bed & bath"), ("C", "kitchen")] {
        let body = json!({ "sku": sku, "name": sku, "category": category, "price": euro(1) });
        assert_eq!(shop.staff.post("/api/v1/products", body).await.status, 201);
    }
    let skus = async |query: &str| {
        let page = shop.anonymous.get(&format!("/api/v1/products?{query}")).await.body;
        let items = page["items"].as_array().unwrap().clone();
        (
            items.iter().map(|item| item["sku"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>(),
            page["next_cursor"].clone(),
        )
    };
    assert_eq!(skus("category=kitchen").await, (BTreeSet::from(["A".to_owned(), "C".to_owned()]), Value::Null));
    assert_eq!(skus("category=bed%20%26%20bath").await.0, BTreeSet::from(["B".to_owned()]));
    assert_eq!(skus("category=all").await.0, BTreeSet::new(), "the name of the key of all is no category");
    let (first, cursor) = skus("category=kitchen&limit=1").await;
    let (second, end) = skus(&format!("category=kitchen&limit=1&cursor={}", cursor.as_str().unwrap())).await;
    assert_eq!((first.len(), second.len(), end), (1, 1, Value::Null));
    assert_ne!(first, second);
}
