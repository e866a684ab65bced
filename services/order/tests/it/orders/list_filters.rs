//! `GET /api/v1/orders` by status, customer, time, and what is looked for.

use ecommerce_contract::Event;
use ecommerce_contract::events::{PaymentCaptured, PaymentFailed, PaymentRefunded, StockRejected, StockReserved};
use ecommerce_testing::{Answer, Client};
use ecommerce_types::{OrderId, ProductId};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::shop::{Shop, place};

const STATES: [&str; 8] =
    ["pending", "awaiting_payment", "paid", "fulfilled", "rejected", "cancelled", "expired", "payment_failed"];

/// Places an order of one of each, and brings it there.
async fn order(shop: &Shop, customer: &Client, products: &[ProductId], status: &str) {
    let items: Vec<Value> = products.iter().map(|id| json!({ "product_id": id, "quantity": 1 })).collect();
    let placed = place(customer, &json!({ "items": items })).await;
    assert_eq!(placed.status, 201, "{}", placed.body);
    let order_id: OrderId = placed.body["id"].as_str().unwrap().parse().unwrap();
    let staff = shop.staff();
    let act = async |what: &str| staff.post(&format!("/api/v1/orders/{order_id}/{what}"), json!(null)).await;
    if !["pending", "rejected", "expired"].contains(&status) {
        shop.publish(Event::StockReserved(StockReserved { order_id })).await;
        let order = shop.reaches(customer, order_id, "awaiting_payment").await;
        let payment_id = order["payment_id"].as_str().unwrap().parse().unwrap();
        if ["paid", "fulfilled", "cancelled"].contains(&status) {
            let amount = order["total"]["amount"].as_i64().unwrap();
            shop.publish(Event::PaymentCaptured(PaymentCaptured { order_id, payment_id, amount })).await;
            shop.reaches(customer, order_id, "paid").await;
        }
        match status {
            "fulfilled" => drop(act("fulfil").await),
            "cancelled" => {
                act("cancel").await;
                // What comes after the end is told in the history, too; the list has the order once.
                let refunded = PaymentRefunded { order_id, payment_id, amount: 1, refunded_total: 1 };
                shop.publish(Event::PaymentRefunded(refunded)).await;
            }
            "payment_failed" => {
                let code = "card_declined".to_owned();
                shop.publish(Event::PaymentFailed(PaymentFailed { order_id, payment_id, code })).await;
            }
            _ => {}
        }
    } else if status == "rejected" {
        shop.publish(Event::StockRejected(StockRejected { order_id, lines: Vec::new() })).await;
    } else if status == "expired" {
        shop.clock.advance(Duration::minutes(15));
    }
    shop.reaches(customer, order_id, status).await;
    shop.clock.advance(Duration::milliseconds(1));
}

/// Sets the clock back to the beginning of its millisecond.
fn to_the_millisecond(shop: &Shop) {
    shop.clock.advance(Duration::nanoseconds(-i64::from(shop.clock.now().nanosecond() % 1_000_000)));
}

/// Everything on a list, page by page.
async fn all(client: &Client, parameters: &[String], limit: usize) -> Vec<Value> {
    let (mut orders, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/orders?{}&limit={limit}{cursor}", parameters.join("&"));
        let page = client.get(&path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        let items = page.body["items"].as_array().unwrap();
        orders.extend(items.iter().cloned());
        let Some(next) = page.body["next_cursor"].as_str() else { return orders };
        // Nothing moves meanwhile.
        assert_eq!(items.len(), limit, "{path}: a page that another one follows is full");
        cursor = format!("&cursor={next}");
    }
}

fn ids(orders: &[Value]) -> Vec<&str> {
    orders.iter().map(|order| order["id"].as_str().unwrap()).collect()
}

fn count(answer: &Answer) -> usize {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["items"].as_array().unwrap().len()
}

fn instant(text: &str) -> OffsetDateTime {
    OffsetDateTime::parse(text, &Rfc3339).unwrap()
}

fn text(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap()
}

/// An order in each state of each of two customers, of one product, another, or both; asked for by every combination of what can be
/// asked for, beside what a person finds who reads the whole list.
#[tokio::test]
async fn every_combination_of_filters_finds_what_fits_all_of_them() {
    let shop = Shop::open().await;
    to_the_millisecond(&shop);
    let people = [shop.customer(), shop.customer()];
    let (mug, bowl) = (shop.sell_a_mug(), shop.sell_a_mug());
    let mut kinds = [vec![mug], vec![bowl], vec![mug, bowl]].into_iter().cycle();
    // Time passes for those that expire, and not for those that wait.
    for status in
        ["expired", "paid", "fulfilled", "rejected", "cancelled", "payment_failed", "pending", "awaiting_payment"]
    {
        for person in [&people[0], &people[1], &people[0]] {
            order(&shop, person, &kinds.next().unwrap(), status).await;
        }
    }
    let staff = shop.staff();
    let everything = all(&staff, &[], 100).await;
    assert_eq!(everything.len(), 24);
    let at = |index: usize| everything[index]["created_at"].as_str().unwrap().to_owned();
    let times = [(None, None), (Some(at(17)), None), (None, Some(at(6))), (Some(at(20)), Some(at(3)))];
    let customers = [None, people[0].user_id(), people[1].user_id()].map(|id| id.map(|id| id.to_string()));
    let skus = [None, Some(format!("SKU-{mug}")), Some(format!("SKU-{bowl}"))];
    let states = std::iter::once(None).chain(STATES.map(Some));
    for status in states {
        for (customer, sku, (after, before)) in customers
            .iter()
            .flat_map(|customer| skus.iter().map(move |sku| (customer, sku)))
            .flat_map(|(customer, sku)| times.iter().map(move |times| (customer, sku, times)))
        {
            let fits = |order: &&Value| {
                let has = |name: &str, value: &str| order[name] == value;
                let placed = instant(order["created_at"].as_str().unwrap());
                let is_of = |sku: &String| order["items"].as_array().unwrap().iter().any(|item| item["sku"] == **sku);
                status.is_none_or(|status| has("status", status))
                    && customer.as_ref().is_none_or(|id| has("customer_id", id))
                    && sku.as_ref().is_none_or(is_of)
                    && after.as_ref().is_none_or(|after| placed >= instant(after))
                    && before.as_ref().is_none_or(|before| placed < instant(before))
            };
            let expected: Vec<Value> = everything.iter().filter(fits).cloned().collect();
            let mut parameters = Vec::new();
            let mut add = |name: &str, value: &str| parameters.push(format!("{name}={value}"));
            status.inspect(|status| add("status", status));
            customer.as_ref().inspect(|id| add("customer_id", id));
            sku.as_ref().inspect(|sku| add("q", sku));
            after.as_ref().inspect(|after| add("placed_after", after));
            before.as_ref().inspect(|before| add("placed_before", before));
            for limit in [2, 100] {
                let found = all(&staff, &parameters, limit).await;
                assert_eq!(ids(&found), ids(&expected), "{parameters:?} by {limit}");
            }
            // Who may see own orders alone finds those of them.
            let own: Vec<Value> = expected
                .iter()
                .filter(|order| Some(order["customer_id"].as_str().unwrap()) == customers[1].as_deref())
                .cloned()
                .collect();
            assert_eq!(ids(&all(&people[0], &parameters, 100).await), ids(&own), "{parameters:?}");
        }
    }
}

#[tokio::test]
async fn a_customer_who_names_somebody_else_finds_nothing() {
    let shop = Shop::open().await;
    let (ada, eve) = (shop.customer(), shop.customer());
    let order = shop.order(&ada).await;
    shop.order(&eve).await;
    let of_ada = format!("/api/v1/orders?customer_id={}", ada.user_id().unwrap());
    assert_eq!((count(&ada.get(&of_ada).await), count(&eve.get(&of_ada).await)), (1, 0));
    let by_id = format!("/api/v1/orders?q={order}");
    assert_eq!((count(&ada.get(&by_id).await), count(&eve.get(&by_id).await)), (1, 0));
    assert_eq!(count(&shop.staff().get(&by_id).await), 1);
}

#[tokio::test]
async fn what_is_looked_for_is_an_id_or_a_sku_and_never_a_pattern() {
    let shop = Shop::open().await;
    let (ada, staff) = (shop.customer(), shop.staff());
    let odd = shop.sell_as("Gr\u{f6}\u{df}e 4 %_*\\'\"");
    let like_an_id = shop.sell_as("0192D1B2-0000-7000-8000-000000000001");
    for product in [odd, like_an_id, shop.sell_a_mug()] {
        order(&shop, &ada, &[product], "pending").await;
    }
    let id = ids(&all(&staff, &[], 100).await)[0].to_owned();
    let (capitals, long) = (id.to_uppercase(), "x".repeat(2_000));
    for (q, found) in [
        (id.as_str(), 1),
        (capitals.as_str(), 1),
        ("0192d1b2-0000-7000-8000-0000000000ff", 0),
        // A sku that looks like an id.
        ("0192D1B2-0000-7000-8000-000000000001", 1),
        // As another keyboard puts its letters together, with blanks around.
        (" Gro\u{308}\u{df}e 4 %_*\\'\" ", 1),
        ("gr\u{f6}\u{df}e 4 %_*\\'\"", 0),
        ("Gr\u{f6}\u{df}e 4", 0),
        ("%", 0),
        ("SKU-%", 0),
        ("SKU_*", 0),
        ("A\0B", 0),
        (long.as_str(), 0),
        // Nothing is looked for.
        ("", 3),
        ("  ", 3),
    ] {
        let q: String = url::form_urlencoded::byte_serialize(q.as_bytes()).collect();
        assert_eq!(count(&staff.get(&format!("/api/v1/orders?q={q}")).await), found, "{q}");
    }
    let elsewhere = staff.get(&format!("/api/v1/orders?q={id}&status=paid")).await;
    assert_eq!(count(&elsewhere), 0, "the other filters hold for an id, too");
}

#[tokio::test]
async fn times_are_exact_and_two_that_meet_leave_nothing_out() {
    let shop = Shop::open().await;
    let (ada, staff) = (shop.customer(), shop.staff());
    to_the_millisecond(&shop);
    let began = shop.clock.now();
    let mug = shop.sell_a_mug();
    for step in [0, 300, 400, 300, 2_000] {
        shop.clock.advance(Duration::microseconds(step));
        let placed = place(&ada, &json!({ "items": [{ "product_id": mug, "quantity": 1 }] })).await;
        assert_eq!(placed.status, 201);
    }
    for microseconds in [-1_000, 0, 1, 299, 300, 301, 699, 700, 701, 999, 1_000, 1_001, 2_999, 3_000, 3_001, 9_000] {
        let bound = began + Duration::microseconds(microseconds);
        let earlier = all(&staff, &[format!("placed_before={}", text(bound))], 100).await;
        let later = all(&staff, &[format!("placed_after={}", text(bound))], 100).await;
        let placed = [0, 300, 700, 1_000, 3_000];
        assert_eq!(earlier.len(), placed.iter().filter(|at| **at < microseconds).count(), "before {microseconds}");
        assert_eq!(later.len(), placed.iter().filter(|at| **at >= microseconds).count(), "after {microseconds}");
    }
    let nothing = [format!("placed_after={}", text(began + Duration::HOUR)), format!("placed_before={}", text(began))];
    assert_eq!(all(&staff, &nothing, 100).await.len(), 0);
    let east = "placed_after=2000-01-01T00:00:00%2B05:30".to_owned();
    assert_eq!(all(&staff, &[east], 100).await.len(), 5);
}

#[tokio::test]
async fn a_value_that_is_none_is_refused_by_name() {
    let shop = Shop::open().await;
    for (parameter, wrong) in [
        ("status", ""),
        ("status", "Paid"),
        ("status", "paid,fulfilled"),
        ("status", "%27%20or%20true"),
        ("customer_id", "ada"),
        ("customer_id", ""),
        ("placed_after", "yesterday"),
        ("placed_after", "2027-01-15T08:00:00+01:00"),
        ("placed_before", "2027-02-30T08:00:00Z"),
        ("placed_before", ""),
    ] {
        for client in [shop.staff(), shop.customer()] {
            let answer = client.get(&format!("/api/v1/orders?{parameter}={wrong}")).await;
            assert_eq!((answer.status, answer.code()), (422, "invalid_filter"), "{parameter}={wrong}");
            let detail = answer.body["detail"].as_str().unwrap();
            assert!(detail.starts_with(&format!("`{parameter}` is ")), "{detail}");
        }
    }
}
