use ecommerce_types::{Clock, Money, OrderId, PaymentId, UserId};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::*;
use crate::domain::NotPayable;

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
const CHARGE: AttemptId = AttemptId(Uuid::from_u128(1));
const ANOTHER: AttemptId = AttemptId(Uuid::from_u128(2));
const ALL: GiveBack = GiveBack { charge: CHARGE, amount: 1_250 };

fn payment() -> Payment {
    let clock = Clock::manual(NOW);
    Payment {
        id: PaymentId::new(&clock),
        order_id: OrderId::new(&clock),
        customer_id: UserId::new(&clock),
        amount: Money::new(1_250, "EUR".parse().unwrap()).unwrap(),
        status: Status::AwaitingPayment,
        processing: true,
        pay_by: NOW + Duration::minutes(15),
        declines: 0,
        charge_id: None,
        amount_captured: 0,
        amount_refunded: 0,
        created_at: NOW,
    }
}

fn declined() -> ChargeOutcome {
    ChargeOutcome::Declined("card_declined".to_owned())
}

#[test]
fn a_capture_is_told_and_nothing_goes_back() {
    let mut payment = payment();
    let effect = payment.charge_ended(CHARGE, Origin::Customer, &ChargeOutcome::Captured);
    assert!(
        matches!(effect, Effect { event: Some(Event::PaymentCaptured(published)), refund: None } if published.amount == 1_250)
    );
    assert_eq!(payment.payable(NOW), Err(NotPayable::Captured));
}

#[test]
fn a_capture_that_comes_after_the_close_goes_back_and_is_not_told() {
    let mut payment = payment();
    assert_eq!(payment.close(), Effect::default());
    let effect = payment.charge_ended(CHARGE, Origin::Customer, &ChargeOutcome::Captured);
    assert_eq!(effect, Effect { event: None, refund: Some(ALL) });
    assert_eq!(payment.status, Status::Closed);
}

#[test]
fn a_captured_payment_that_is_closed_goes_back_once() {
    let mut payment = payment();
    let _ = payment.charge_ended(CHARGE, Origin::Order, &ChargeOutcome::Captured);
    assert_eq!(payment.close().refund, Some(ALL));
    assert_eq!(payment.close(), Effect::default());
    let published = payment.refunded(CHARGE, 1_250).event;
    assert!(matches!(published, Some(Event::PaymentRefunded(published)) if published.refunded_total == 1_250));
}

#[test]
fn money_that_was_captured_late_goes_back_without_a_word_of_the_sale() {
    let mut payment = payment();
    let _ = payment.charge_ended(CHARGE, Origin::Customer, &ChargeOutcome::Captured);
    let sold = payment.clone();
    assert_eq!((payment.refunded(ANOTHER, 1_250), payment.clone()), (Effect::default(), sold));
    assert_eq!(payment.close().refund, Some(ALL), "what is held for the sale is still here");
}

#[test]
fn the_decline_of_a_method_that_came_with_the_order_is_final() {
    let mut payment = payment();
    let effect = payment.charge_ended(CHARGE, Origin::Order, &declined());
    assert!(matches!(effect.event, Some(Event::PaymentFailed(published)) if published.code == "card_declined"));
    assert_eq!(payment.payable(NOW), Err(NotPayable::Failed));
}

#[test]
fn a_payment_whose_method_is_not_tried_has_failed_without_a_decline() {
    let mut payment = payment();
    let effect = payment.charge_ended(CHARGE, Origin::Order, &ChargeOutcome::Withheld);
    assert!(matches!(effect.event, Some(Event::PaymentFailed(published)) if published.code == "too_many_declines"));
    assert_eq!((payment.status, payment.declines), (Status::Failed, 0));
    assert_eq!(payment.charge_ended(CHARGE, Origin::Order, &ChargeOutcome::Withheld), Effect::default());
}

#[test]
fn a_customer_may_try_four_more_methods() {
    let mut payment = payment();
    for _ in 0..4 {
        assert_eq!(payment.charge_ended(CHARGE, Origin::Customer, &declined()), Effect::default());
        assert_eq!(payment.payable(NOW), Ok(()));
    }
    let effect = payment.charge_ended(CHARGE, Origin::Customer, &declined());
    assert!(matches!(effect.event, Some(Event::PaymentFailed(_))));
    assert_eq!(payment.status, Status::Failed);
}

#[test]
fn a_decline_after_the_close_changes_nothing() {
    let mut payment = payment();
    let _ = payment.close();
    assert_eq!(payment.charge_ended(CHARGE, Origin::Order, &declined()), Effect::default());
    assert_eq!(payment.status, Status::Closed);
}

#[test]
fn no_charge_begins_at_the_end_of_its_time_or_beside_another() {
    let mut payment = payment();
    assert_eq!(payment.payable(NOW), Err(NotPayable::Processing));
    payment.processing = false;
    assert_eq!(payment.payable(payment.pay_by - Duration::microseconds(1)), Ok(()));
    assert_eq!(payment.payable(payment.pay_by), Err(NotPayable::Overdue));
}

#[test]
fn an_order_that_costs_nothing_has_nothing_to_give_back() {
    let mut payment = payment();
    payment.amount = Money::new(0, payment.amount.currency()).unwrap();
    let _ = payment.charge_ended(CHARGE, Origin::Order, &ChargeOutcome::Captured);
    assert_eq!(payment.close(), Effect::default());
}
