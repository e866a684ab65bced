//! What a stranger does to the shop, others do not notice.

use std::time::Duration;

use e2e::{Person, cluster, within};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const SILENT: usize = 1_000;

/// All from one address, where the buyer is as well: behind a company's router there is a person, too.
#[tokio::test]
async fn a_buyer_pays_beside_a_thousand_connections_that_say_nothing() {
    cluster::ready_stack().await;
    let product = Person::admin().await.sell(10).await;
    let address = e2e::person::address();
    let address = address.trim_start_matches("http://");
    let mut opening = JoinSet::new();
    for _ in 0..SILENT {
        let address = address.to_owned();
        opening.spawn(async move { TcpStream::connect(address).await });
    }
    let silent: Vec<TcpStream> = opening.join_all().await.into_iter().filter_map(Result::ok).collect();
    assert!(silent.len() > SILENT / 2, "{} of {SILENT} connections were taken", silent.len());
    // Who forwards to the cluster has taken them in at once and hands them on one by one: until the last of them is there, a
    // newcomer whose request comes late is one of many that say nothing.
    within(Duration::from_secs(10), "the shop answers", || async {
        Person::nobody().try_get("/api/v1/products").await.map(|_| ())
    })
    .await;
    let buyer = Person::customer().await;
    let (order, payment) = buyer.order_to_pay(&product, 1).await;
    let paid = buyer.pay(&payment, "tok_success").await;
    assert_eq!(paid.status, 200, "{}", paid.body);
    buyer.reaches(&order, "paid").await;
    drop(silent);
}
