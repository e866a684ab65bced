//! Messages as earlier versions wrote them must parse for ever: one may lie in a queue across an upgrade.
//! Never change a text here; add one when a payload grows.

use ecommerce_contract::events::ClosedAs;
use ecommerce_contract::{Envelope, Event};

const VERSION_1: &[&str] = &[
    r#"{"id":"0192d1b2-0000-7000-8000-000000000001","version":1,"occurred_at":"2026-11-22T10:00:00Z","type":"order.placed","payload":{"order_id":"0192d1b2-0000-7000-8000-0000000000aa","lines":[{"product_id":"0192d1b2-0000-7000-8000-0000000000bb","quantity":2}],"pay_by":"2026-11-22T10:15:00Z"}}"#,
    r#"{"id":"0192d1b2-0000-7000-8000-000000000002","version":1,"occurred_at":"2026-11-22T10:00:00Z","request_id":"r-1","type":"order.payment_requested","payload":{"order_id":"0192d1b2-0000-7000-8000-0000000000aa","payment_id":"0192d1b2-0000-7000-8000-0000000000cc","customer_id":"0192d1b2-0000-7000-8000-0000000000dd","amount":2500,"currency":"EUR","pay_by":"2026-11-22T10:15:00Z"}}"#,
    r#"{"id":"0192d1b2-0000-7000-8000-000000000003","version":1,"occurred_at":"2026-11-22T10:00:00Z","type":"order.paid","payload":{"order_id":"0192d1b2-0000-7000-8000-0000000000aa"}}"#,
    r#"{"id":"0192d1b2-0000-7000-8000-000000000004","version":1,"occurred_at":"2026-11-22T10:00:00Z","type":"order.closed","payload":{"order_id":"0192d1b2-0000-7000-8000-0000000000aa","outcome":"payment_failed","pay_by":"2026-11-22T10:15:00Z"}}"#,
    r#"{"id":"0192d1b2-0000-7000-8000-00000000000a","version":1,"occurred_at":"2026-11-22T10:00:00Z","type":"order.fulfilled","payload":{"order_id":"0192d1b2-0000-7000-8000-0000000000aa"}}"#,
    r#"{"id":"0192d1b2-0000-7000-8000-000000000005","version":1,"occurred_at":"2026-11-22T10:00:00Z","type":"stock.reserved","payload":{"order_id":"0192d1b2-0000-7000-8000-0000000000aa"}}"#,
    r#"{"id":"0192d1b2-0000-7000-8000-000000000006","version":1,"occurred_at":"2026-11-22T10:00:00Z","type":"stock.rejected","payload":{"order_id":"0192d1b2-0000-7000-8000-0000000000aa","lines":[{"product_id":"0192d1b2-0000-7000-8000-0000000000bb","quantity":9}]}}"#,
    r#"{"id":"0192d1b2-0000-7000-8000-000000000007","version":1,"occurred_at":"2026-11-22T10:00:00Z","type":"payment.captured","payload":{"order_id":"0192d1b2-0000-7000-8000-0000000000aa","payment_id":"0192d1b2-0000-7000-8000-0000000000cc","amount":2500}}"#,
    r#"{"id":"0192d1b2-0000-7000-8000-000000000008","version":1,"occurred_at":"2026-11-22T10:00:00Z","type":"payment.failed","payload":{"order_id":"0192d1b2-0000-7000-8000-0000000000aa","payment_id":"0192d1b2-0000-7000-8000-0000000000cc","code":"card_declined"}}"#,
    r#"{"id":"0192d1b2-0000-7000-8000-000000000009","version":1,"occurred_at":"2026-11-22T10:00:00Z","type":"payment.refunded","payload":{"order_id":"0192d1b2-0000-7000-8000-0000000000aa","payment_id":"0192d1b2-0000-7000-8000-0000000000cc","amount":500,"refunded_total":2500}}"#,
];

#[test]
fn an_old_message_still_parses_and_reads_back() {
    for text in VERSION_1 {
        let envelope: Envelope = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let again: Envelope = serde_json::from_str(&serde_json::to_string(&envelope).unwrap()).unwrap();
        assert_eq!(again, envelope);
    }
}

#[test]
fn a_field_of_a_later_version_is_passed_over() {
    let text = VERSION_1[2].replace(r#""version":1"#, r#""version":2,"new_in_2":true"#);
    assert!(serde_json::from_str::<Envelope>(&text).is_ok());
}

#[test]
fn an_outcome_of_a_later_version_still_closes() {
    let text = VERSION_1[3].replace("payment_failed", "lost_at_sea");
    let Event::OrderClosed(closed) = serde_json::from_str::<Envelope>(&text).unwrap().event else {
        panic!("order.closed")
    };
    assert_eq!(closed.outcome, ClosedAs::Other);
}

#[test]
fn every_event_has_an_old_message_under_its_name() {
    let events = VERSION_1.iter().map(|text| serde_json::from_str::<Envelope>(text).unwrap().event);
    let names: Vec<&str> = events.map(|event| event.routing_key()).collect();
    assert_eq!(names, Event::NAMES);
    for (name, text) in names.iter().zip(VERSION_1) {
        assert!(text.contains(&format!(r#""type":"{name}""#)), "{text}");
    }
}
