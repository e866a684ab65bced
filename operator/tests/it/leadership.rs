//! The Lease, on a real API server: one replica at a time.

use operator::leadership::Leadership;

use crate::api_server;

#[tokio::test]
async fn one_replica_holds_the_lease_until_it_lets_go() {
    let (client, namespace) = api_server::namespace().await;
    let mut first = Leadership::new(client.clone(), &namespace, "first");
    let mut second = Leadership::new(client, &namespace, "second");
    assert!(first.hold().await.unwrap());
    assert!(!second.hold().await.unwrap());
    assert!(first.hold().await.unwrap(), "a holder renews");
    assert!(!second.hold().await.unwrap(), "and is not gone");

    second.release().await.unwrap();
    assert!(first.hold().await.unwrap(), "only the holder can let go");
    first.release().await.unwrap();
    assert!(second.hold().await.unwrap());
    assert!(!first.hold().await.unwrap());
}

#[tokio::test]
async fn a_replica_that_comes_back_under_its_name_takes_its_own_lease_up() {
    let (client, namespace) = api_server::namespace().await;
    assert!(Leadership::new(client.clone(), &namespace, "first").hold().await.unwrap());
    assert!(Leadership::new(client, &namespace, "first").hold().await.unwrap());
}

#[tokio::test]
async fn of_two_that_claim_at_once_one_wins() {
    let (client, namespace) = api_server::namespace().await;
    let mut claims: Vec<_> =
        (0..4).map(|number| Leadership::new(client.clone(), &namespace, &format!("replica-{number}"))).collect();
    let held = futures::future::join_all(claims.iter_mut().map(Leadership::hold)).await;
    assert_eq!(held.into_iter().filter(|held| *held.as_ref().unwrap()).count(), 1);
}
