//! What is known of orders does not grow with all that ever were, and what was let go does not come back.

use ecommerce_contract::Envelope;
use ecommerce_testing::{figure, scale, within};
use ecommerce_types::{OrderId, ProductId};
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use time::Duration;

use crate::shop::Shop;

const SOON: std::time::Duration = std::time::Duration::from_mins(2);
/// How many orders are told of at once.
const AT_ONCE: usize = 2_500;

/// What order says of an order.
struct Story {
    said: Vec<Envelope>,
    is_open: bool,
}

/// A month of orders of every fate, of one piece each: then no more is known than the open ones. Whatever was said of the others is said
/// again, in any order, and the stock stands as it stood.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn after_a_month_no_more_is_known_than_what_is_open_and_nothing_that_comes_again_moves_the_stock() {
    let shop = Shop::open_with_a_clock().await;
    let mut random = StdRng::seed_from_u64(28);
    let orders = scale(100_000, 10_000);
    let mug = shop.product(i64::try_from(orders).unwrap()).await;
    let mut stories: Vec<Story> = Vec::new();
    while stories.len() < orders {
        let told: Vec<Story> = (0..AT_ONCE).map(|_| story(&shop, shop.order_id(), mug, &mut random)).collect();
        // In the sequence that they are said of each order, which is the sequence of the queue.
        for step in 0..3 {
            let messages = told.iter().filter_map(|story| story.said.get(step));
            futures::future::join_all(messages.map(|message| shop.broker.publish(message))).await;
        }
        stories.extend(told);
    }
    let all = i64::try_from(orders).unwrap();
    within(SOON, "all orders are known", || async { (shop.known().await == all).then_some(()) }).await;
    all_is_handled(&shop).await;
    let open = i64::try_from(stories.iter().filter(|story| story.is_open).count()).unwrap();
    let stock = shop.stock(mug).await;

    // A day after their deadline they are there, whatever looks; a month later they are not.
    shop.clock.advance(Duration::days(1));
    shop.add_replica().await;
    assert_eq!(shop.known().await, all);
    shop.clock.advance(Duration::days(30));
    shop.add_replica().await;
    within(SOON, "what has ended is let go", || async { (shop.known().await == open).then_some(()) }).await;
    assert_eq!(shop.stock(mug).await, stock);
    figure("reservations after a month", format!("{open} of {orders} orders, which are those that are open"));

    stories.shuffle(&mut random);
    let again = stories.iter().filter(|story| !story.is_open).take(2_000);
    let mut again: Vec<&Envelope> = again.flat_map(|story| &story.said).collect();
    again.shuffle(&mut random);
    for messages in again.chunks(AT_ONCE) {
        futures::future::join_all(messages.iter().map(|message| shop.broker.publish(message))).await;
    }
    all_is_handled(&shop).await;
    assert_eq!((shop.stock(mug).await, shop.known().await), (stock, open));
    assert_eq!(shop.broker.take("product.dead").await, None);
}

/// One in five hundred is open; of the others, some are sent, some called off in any of three ways, some find no stock.
fn story(shop: &Shop, id: OrderId, mug: ProductId, random: &mut StdRng) -> Story {
    let placed = shop.placed(id, &[(mug, 1)]);
    let too_much = shop.placed(id, &[(mug, 1_000_000)]);
    let open = random.random_range(0..500);
    let said = match (open, random.random_range(0..5)) {
        (0, _) => vec![placed],
        (1, _) => vec![placed, shop.paid(id)],
        (_, 0) => vec![placed, shop.closed(id)],
        (_, 1) => vec![placed, shop.paid(id), shop.closed(id)],
        (_, 2) => vec![shop.closed(id), placed],
        (_, 3) => vec![too_much],
        _ => vec![placed, shop.paid(id), shop.fulfilled(id)],
    };
    Story { said, is_open: open <= 1 }
}

async fn all_is_handled(shop: &Shop) {
    within(SOON, "all that was said is heard", || async {
        (shop.broker.waiting("product").await == 0 && shop.broker.depth("product").await == Some(0)).then_some(())
    })
    .await;
}
