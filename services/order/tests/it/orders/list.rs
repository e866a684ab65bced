use crate::shop::Shop;

#[tokio::test]
async fn pages_neither_repeat_nor_skip_while_orders_are_placed() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.push(shop.order(&customer).await.to_string());
        shop.clock.advance(time::Duration::milliseconds(1));
    }
    placed.reverse();
    let mut seen = Vec::new();
    let mut path = "/api/v1/orders?limit=2".to_owned();
    loop {
        let page = customer.get(&path).await.body;
        seen.extend(page["items"].as_array().unwrap().iter().map(|order| order["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/orders?limit=2&cursor={cursor}");
        shop.order(&customer).await;
        shop.clock.advance(time::Duration::milliseconds(1));
    }
    assert_eq!(seen, placed);
}

#[tokio::test]
async fn a_customer_lists_own_orders_and_staff_all() {
    let shop = Shop::open().await;
    let (ada, eve) = (shop.customer(), shop.customer());
    shop.order(&ada).await;
    shop.order(&eve).await;
    let count = |page: serde_json::Value| page["items"].as_array().unwrap().len();
    assert_eq!(count(ada.get("/api/v1/orders").await.body), 1);
    assert_eq!(count(shop.staff().get("/api/v1/orders").await.body), 2);
}

#[tokio::test]
async fn a_parameter_that_nobody_knows_is_passed_over() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    shop.order(&customer).await;
    let plain = customer.get("/api/v1/orders?limit=1").await;
    let tagged = customer.get("/api/v1/orders?utm_source=mail&limit=1&page=2&flag&utm_source=%FF").await;
    assert_eq!((tagged.status, tagged.body), (200, plain.body));
}

#[tokio::test]
async fn a_page_that_cannot_be_is_refused() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    for (query, code) in [("limit=0", "invalid_query"), ("limit=101", "invalid_query"), ("cursor=!", "invalid_cursor")]
    {
        let answer = customer.get(&format!("/api/v1/orders?{query}")).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{query}");
    }
}

/// As a newer version may have written it.
#[tokio::test]
async fn a_page_shows_the_others_where_one_order_does_not_read() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let mut placed = Vec::new();
    for _ in 0..4 {
        placed.push(shop.order(&customer).await);
        shop.clock.advance(time::Duration::milliseconds(1));
    }
    let changed = sqlx::query("update orders set lines = '{\"of\": \"another version\"}' where id = $1");
    changed.bind(placed[2].0).execute(&shop.database.pool).await.unwrap();
    let first = customer.get("/api/v1/orders?limit=2").await;
    assert_eq!((first.status, first.body["items"].as_array().unwrap().len()), (200, 1));
    assert_eq!(first.body["items"][0]["id"], placed[3].to_string());
    let second = format!("/api/v1/orders?limit=2&cursor={}", first.body["next_cursor"].as_str().unwrap());
    assert_eq!(customer.get(&second).await.body["items"].as_array().unwrap().len(), 2);
}
