//! How long an order takes on an idle cluster, from placing to `paid`. A machine's speed is no property of the code, so it is
//! shown and not asserted.

use std::time::Instant;

use e2e::Person;
use ecommerce_testing::figure;

#[tokio::main(flavor = "current_thread")]
async fn main() {
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
    figure("from placing to paid", format!("p50 {:?}, fastest {:?}, slowest {:?}", took[15], took[0], took[29]));
}
