//! Catalogue, search, pages.

use std::time::Duration;

use e2e::person::unique;
use e2e::{Person, within};
use reqwest::Url;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Products with the same sort value turned up on two pages, others on none:
/// <https://github.com/shopware/shopware/issues/7465>, <https://github.com/magento/magento2/issues/38461>. A feed or a
/// sitemap is made from these pages.
#[tokio::test]
async fn pages_hold_each_product_once_while_others_come_and_go() {
    let admin = Person::admin().await;
    let category = format!("fc-{}", unique());
    let sell = async || admin.sell_this(json!({ "category": category }), 0).await;
    let mut made = Vec::new();
    for _ in 0..20 {
        made.push(sell().await);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = admin.get(&format!("/api/v1/products?category={category}&limit=6{cursor}")).await.body;
        let ids = page["items"].as_array().expect("a page").iter().map(|item| item["id"].as_str().unwrap_or_default());
        seen.extend(ids.map(str::to_owned));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
        // Between two pages one comes, and one that was seen goes.
        sell().await;
        let gone = seen.last().expect("a product").clone();
        admin.send(reqwest::Method::DELETE, &format!("/api/v1/products/{gone}"), &[], None).await;
    }
    made.sort_unstable();
    seen.sort_unstable();
    assert_eq!(seen, made);
}

/// A product deleted by mistake could not be entered again, its sku counted as taken:
/// <https://github.com/craftcms/commerce/issues/325>, <https://github.com/medusajs/medusa/issues/270>,
/// <https://github.com/bagisto/bagisto/issues/8288>. The label on the shelf is printed.
#[tokio::test]
async fn a_product_deleted_by_mistake_is_entered_again_under_its_sku() {
    let admin = Person::admin().await;
    let product =
        json!({ "sku": format!("ANT-{}", unique()), "name": "Ant", "price": { "amount": 100, "currency": "EUR" } });
    let first = admin.post("/api/v1/products", &product).await;
    assert_eq!(first.status, 201, "{}", first.body);
    let path = format!("/api/v1/products/{}", first.id());
    assert_eq!(admin.send(reqwest::Method::DELETE, &path, &[], None).await.status, 204);
    let second = admin.post("/api/v1/products", &product).await;
    assert_eq!(second.status, 201, "{}", second.body);
    assert_ne!(second.id(), first.id());
    assert_eq!(admin.post("/api/v1/products", &product).await.code(), "sku_taken");
}

/// With a cache before the database the old price stayed in view after a change:
/// <https://github.com/coreshop/CoreShop/issues/895>, <https://github.com/medusajs/medusa/issues/3503>,
/// <https://github.com/magento/magento2/issues/27146>. Who has read before the commit must not write the old price back
/// after it.
#[tokio::test]
async fn a_new_price_is_seen_listed_and_charged_however_many_read_meanwhile() {
    let admin = Person::admin().await;
    let category = format!("fc-{}", unique());
    let product = admin.sell_this(json!({ "category": category }), 5).await;
    let (one, list) = (format!("/api/v1/products/{product}"), format!("/api/v1/products?category={category}"));
    let mut readers = JoinSet::new();
    for path in [&one, &list, &one, &list] {
        let (admin, path) = (admin.clone(), path.clone());
        readers.spawn(async move {
            loop {
                admin.get(&path).await;
            }
        });
    }
    for amount in 1001..=1015 {
        let changed = admin.patch(&one, &json!({ "price": { "amount": amount, "currency": "EUR" } })).await;
        assert_eq!(changed.status, 200, "{}", changed.body);
    }
    readers.shutdown().await;
    // What everybody reads may be a moment old, and no more.
    for (path, price) in [(&one, "/price/amount"), (&list, "/items/0/price/amount")] {
        within(Duration::from_secs(3), &format!("the last price is in {path}"), || async {
            (admin.get(path).await.body.pointer(price) == Some(&json!(1015))).then_some(())
        })
        .await;
    }
    let ada = Person::customer().await;
    let order = ada.order(&product, 1, None).await;
    assert_eq!(ada.get(&format!("/api/v1/orders/{order}")).await.body["total"]["amount"], 1015);
    assert_eq!(admin.get(&one).await.body["price"]["amount"], 1015);
}

/// A name with `&` came back as an entity, filters with `&` or `+` found nothing:
/// <https://github.com/woocommerce/woocommerce/issues/40029>, <https://github.com/woocommerce/wc-api-php/issues/39>,
/// <https://github.com/intershop/intershop-pwa/pull/1115>. Both encodings of a space in a query are in use.
#[tokio::test]
async fn names_are_kept_byte_for_byte_and_found_in_either_encoding() {
    let admin = Person::admin().await;
    for name in ["Axis & Allies", "C++ & Qt", "50% off / sale", "Größe+Länge", "日本酒"] {
        let category = format!("{name} {}", unique());
        let product = admin.sell_this(json!({ "category": category, "name": name }), 0).await;
        let url = Url::parse_with_params("http://shop/api/v1/products", [("category", &category)]).expect("a URL");
        let with_plus = url.query().expect("a query").to_owned();
        for query in [with_plus.replace('+', "%20"), with_plus] {
            let page = admin.get(&format!("/api/v1/products?{query}")).await;
            let found: Vec<&Value> = page.body["items"].as_array().into_iter().flatten().collect();
            assert_eq!(found.len(), 1, "{query}: {}", page.body);
            assert_eq!(
                (&found[0]["id"], &found[0]["name"], &found[0]["category"]),
                (&json!(product), &json!(name), &json!(category))
            );
        }
    }
}
