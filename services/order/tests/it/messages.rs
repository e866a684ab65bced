//! What product and payment publish, in every order that a broker may deliver it.

use ecommerce_contract::Event;
use ecommerce_contract::events::{PaymentCaptured, PaymentFailed, PaymentRefunded, StockRejected, StockReserved};
use ecommerce_testing::{Client, eventually};
use ecommerce_types::{Clock, OrderId, PaymentId};
use order::REPEAT;
use secrecy::ExposeSecret as _;
use serde_json::json;
use time::format_description::well_known::Rfc3339;

use crate::shop::Shop;

/// Brings a new order to `awaiting_payment`; answers it with its payment.
async fn bring_to_payment(shop: &Shop, customer: &Client) -> (OrderId, PaymentId) {
    let order_id = shop.order(customer).await;
    shop.publish(Event::StockReserved(StockReserved { order_id })).await;
    let published = shop.published_to("payment").await;
    assert_eq!(published.request_id.as_deref(), Some("r-1"), "the id follows the messages");
    let Event::PaymentRequested(requested) = published.event else { panic!("order.payment_requested") };
    assert_eq!((requested.order_id, requested.amount), (order_id, 2500));
    (order_id, requested.payment_id)
}

fn captured(order_id: OrderId, payment_id: PaymentId) -> Event {
    Event::PaymentCaptured(PaymentCaptured { order_id, payment_id, amount: 2500 })
}

/// Brings a new order to `paid`.
pub(crate) async fn bring_to_paid(shop: &Shop, customer: &Client) -> OrderId {
    let (order_id, payment_id) = bring_to_payment(shop, customer).await;
    shop.publish(captured(order_id, payment_id)).await;
    let Event::OrderPaid(paid) = shop.published_to("product").await.event else { panic!("order.paid") };
    assert_eq!(paid.order_id, order_id);
    order_id
}

#[tokio::test]
async fn an_order_with_stock_and_money_is_paid() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let id = bring_to_paid(&shop, &customer).await;
    let order = shop.reaches(&customer, id, "paid").await;
    assert!(order["payment_id"].is_string());
}

#[tokio::test]
async fn an_order_without_stock_is_rejected() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let order_id = shop.order(&customer).await;
    shop.publish(Event::StockRejected(StockRejected { order_id, lines: vec![] })).await;
    let order = shop.reaches(&customer, order_id, "rejected").await;
    assert_eq!((&order["reason"], &order["payment_id"]), (&json!("out_of_stock"), &json!(null)));
}

#[tokio::test]
async fn a_failed_payment_ends_the_order_and_gives_its_stock_back() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let (order_id, payment_id) = bring_to_payment(&shop, &customer).await;
    shop.publish(Event::PaymentFailed(PaymentFailed { order_id, payment_id, code: "card_declined".to_owned() })).await;
    let order = shop.reaches(&customer, order_id, "payment_failed").await;
    assert_eq!(order["reason"], "card_declined");
    assert!(matches!(shop.published_to("product").await.event, Event::OrderClosed(_)));
}

#[tokio::test]
async fn a_message_that_comes_twice_counts_once() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let order_id = shop.order(&customer).await;
    let reserved = shop.publish(Event::StockReserved(StockReserved { order_id })).await;
    shop.broker.publish(&reserved).await;
    // The same fact under another id is old news, too.
    shop.publish(Event::StockReserved(StockReserved { order_id })).await;
    let Event::PaymentRequested(requested) = shop.published_to("payment").await.event else {
        panic!("order.payment_requested")
    };
    shop.publish(captured(order_id, requested.payment_id)).await;
    shop.reaches(&customer, order_id, "paid").await;
    assert_eq!(shop.broker.take("payment").await, None, "the payment was requested once");
}

#[tokio::test]
async fn money_for_an_order_that_was_cancelled_does_not_revive_it() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let (order_id, payment_id) = bring_to_payment(&shop, &customer).await;
    customer.post(&format!("/api/v1/orders/{order_id}/cancel"), json!(null)).await;
    shop.publish(captured(order_id, payment_id)).await;
    shop.publish(Event::PaymentRefunded(PaymentRefunded { order_id, payment_id, amount: 2500, refunded_total: 2500 }))
        .await;
    let order = eventually("the refund shows", || async {
        let order = customer.get(&format!("/api/v1/orders/{order_id}")).await.body;
        (order["amount_refunded"] == 2500).then_some(order)
    })
    .await;
    assert_eq!(order["status"], "cancelled");
}

#[tokio::test]
async fn refunds_in_any_order_show_their_total() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let order_id = bring_to_paid(&shop, &customer).await;
    let payment_id = PaymentId::new(&Clock::system());
    for (amount, refunded_total) in [(500, 1500), (1000, 1000)] {
        shop.publish(Event::PaymentRefunded(PaymentRefunded { order_id, payment_id, amount, refunded_total })).await;
    }
    eventually("the refunds are handled", || async { (shop.broker.depth("order").await == Some(0)).then_some(()) })
        .await;
    let order = shop.reaches(&customer, order_id, "paid").await;
    assert_eq!(order["amount_refunded"], 1500);
}

#[tokio::test]
async fn what_cannot_be_read_goes_to_the_dead_letters_and_the_rest_goes_on() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let order_id = shop.order(&customer).await;
    shop.broker.publish_bytes("stock.reserved", b"no envelope").await;
    let unknown = OrderId::new(&Clock::system());
    shop.publish(Event::StockReserved(StockReserved { order_id: unknown })).await;
    shop.publish(Event::StockReserved(StockReserved { order_id })).await;
    shop.reaches(&customer, order_id, "awaiting_payment").await;
    let mut dead = Vec::new();
    for _ in 0..2 {
        dead.push(eventually("a dead letter", || shop.broker.take("order.dead")).await);
    }
    assert!(dead.iter().any(|body| body == b"no envelope"));
    assert!(dead.iter().any(|body| String::from_utf8_lossy(body).contains(&unknown.to_string())));
}

/// As when the database of one of them was put back to the day before.
#[tokio::test]
async fn what_was_told_of_an_order_is_told_again_when_a_person_wants_it() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let before = shop.clock.now();
    let paid = bring_to_paid(&shop, &customer).await;
    let (cancelled, payment_id) = bring_to_payment(&shop, &customer).await;
    customer.post(&format!("/api/v1/orders/{cancelled}/cancel"), json!(null)).await;
    for reader in ["product", "payment"] {
        assert!(matches!(shop.published_to(reader).await.event, Event::OrderClosed(_)));
    }
    let fulfilled = bring_to_paid(&shop, &customer).await;
    shop.staff().post(&format!("/api/v1/orders/{fulfilled}/fulfil"), json!(null)).await;
    assert!(matches!(shop.published_to("product").await.event, Event::OrderFulfilled(_)));
    let range = ["repeat", "--since", &before.format(&Rfc3339).unwrap(), "--until", "2100-01-01T00:00:00Z"];
    let url = shop.database.settings.database_url.expose_secret();
    let matches = (REPEAT.arguments)(clap::Command::new("repeat"))
        .get_matches_from([&range[..], &["--database-url", url]].concat());
    assert_eq!((REPEAT.run)(matches).await.unwrap(), "3 events are on their way again");

    let mut told = Vec::new();
    for _ in 0..3 {
        told.push(shop.published_to("product").await.event);
    }
    told.sort_by_key(|event| [paid, cancelled, fulfilled].iter().position(|id| *id == event.order_id()));
    assert!(matches!(&told[0], Event::OrderPaid(again) if again.order_id == paid), "{told:?}");
    // That it was sent says also that it was paid.
    assert!(matches!(&told[2], Event::OrderFulfilled(again) if again.order_id == fulfilled), "{told:?}");
    let closed = shop.published_to("payment").await.event;
    assert_eq!(closed, told[1]);
    assert!(matches!(closed, Event::OrderClosed(again) if again.payment_id == Some(payment_id)));
}
