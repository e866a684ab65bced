//! The provider is slow, and then away for longer than an order has to be paid, under orders.

use std::time::Duration;

use ecommerce_testing::{figure, scale};

use crate::books::Ends;
use crate::customers::Customers;
use crate::shop::{Conditions, Shop};

/// Orders of a second.
const RATE: u32 = 150;
const AROUND: Duration = Duration::from_secs(2);

/// With a few calls at once, the last of them would wait for longer than their orders have.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_takes_300_milliseconds_keeps_up_with_150_orders_a_second() {
    let seconds_to_pay = u32::try_from(scale(60, 15)).unwrap();
    let provider_takes = Duration::from_millis(300);
    let conditions = Conditions { provider_takes, ..Conditions::with_seconds_to_pay(seconds_to_pay) };
    let mut shop = Shop::open_with(conditions).await;
    let orders = scale(9_000, 300);
    let mut customers = Customers::default();
    customers.order_at_a_pace(orders, Duration::from_secs(1) / RATE, &shop).await;
    assert_eq!(customers.all_have_ordered().await, orders);
    let ends = shop.settles().await;
    shop.is_all_acknowledged().await;
    assert_eq!(ends, Ends { paid: orders, closed: 0 });
    assert_eq!(shop.charged_twice().await, 0);
    figure("orders paid at a provider that takes 300 ms", orders);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_away_until_nobody_can_pay_any_more_takes_no_money_twice_and_none_for_a_closed_order() {
    const SECONDS_TO_PAY: u32 = 4;
    let mut shop = Shop::open(SECONDS_TO_PAY).await;
    let away = Duration::from_secs(u64::try_from(scale(60, 10)).unwrap());
    let mut customers = Customers::default();
    customers.order_for(AROUND, &shop).await;
    shop.provider_goes().await;
    customers.order_for(away, &shop).await;
    shop.provider_is_back().await;
    customers.order_for(AROUND, &shop).await;
    let placed = customers.all_have_ordered().await;
    let ends = shop.settles().await;
    shop.is_all_acknowledged().await;
    assert_eq!(ends.paid + ends.closed, placed);
    assert!(ends.paid > 0 && ends.closed > 0, "{ends:?}");
    assert_eq!(shop.charged_twice().await, 0);
    let ended = format!("{} paid, {} closed", ends.paid, ends.closed);
    figure(&format!("orders around a provider that was away for {away:?}"), ended);
}
