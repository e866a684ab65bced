//! A whole order, with the connection to a database cut at each statement of its way through order, product and payment.

use ecommerce_testing::{BreakingLink, Moment, database, figure, scale};

use crate::books::Ends;
use crate::shop::Shop;

/// Longer than anybody waits here: an order that is late is one that was lost.
const SECONDS_TO_PAY: u32 = 300;
/// An order is placed, reserved, requested, charged, captured, paid and sold, and each is told.
const FEWEST_STATEMENTS: usize = 15;

#[tokio::test(flavor = "multi_thread")]
async fn an_order_ends_well_when_a_connection_is_cut_before_any_statement_of_its_way_is_sent() {
    cut_at_each(Moment::BeforeItIsSent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_ends_well_when_a_connection_is_cut_before_any_statement_of_its_way_is_answered() {
    cut_at_each(Moment::BeforeItsAnswer).await;
}

async fn cut_at_each(moment: Moment) {
    let server = database::server();
    let wire = BreakingLink::to(&server, usize::MAX, moment).await;
    let mut shop = Shop::open_on(&server, &wire.url, SECONDS_TO_PAY).await;
    let (mut orders, mut number) = (0, 0);
    loop {
        number += scale(1, 5);
        wire.break_at(number);
        shop.customer_who_insists().await;
        orders += 1;
        let ends = shop.settles().await;
        assert_eq!(ends, Ends { paid: orders, closed: 0 }, "cut {moment:?} at {number}");
        if !wire.has_broken() {
            break;
        }
    }
    assert!(number > FEWEST_STATEMENTS, "{number} are fewer than it takes");
    shop.is_all_acknowledged().await;
    figure(&format!("statements of an order's way, one of each cut {moment:?}"), number);
}
