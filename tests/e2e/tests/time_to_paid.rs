//! How long an order takes on an idle cluster, from placing to `paid`. It has a file of its own, so that it runs alone.

use std::io::Write as _;
use std::time::Instant;

use e2e::Person;

/// Printed, not asserted: a machine's speed is no property of the code.
#[tokio::test]
async fn the_time_from_placing_to_paid_is_printed() {
    let product = Person::admin().await.sell(1000).await;
    let ada = Person::customer().await;
    let mut took = Vec::new();
    for _ in 0..30 {
        let began = Instant::now();
        let order = ada.order(&product, 1, Some("tok_success")).await;
        ada.reaches(&order, "paid").await;
        took.push(began.elapsed());
    }
    took.sort_unstable();
    // Straight to the handle: what a test prints with the macros is kept from whoever runs it.
    let figures = format!("from placing to paid: p50 {:?}, fastest {:?}, slowest {:?}\n", took[15], took[0], took[29]);
    std::io::stderr().write_all(figures.as_bytes()).unwrap();
}
