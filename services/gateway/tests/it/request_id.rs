//! Each request has an id that the gateway made.

use uuid::Uuid;

use crate::raw;
use crate::shop::{PRODUCT, Shop, received};

#[tokio::test]
async fn a_request_gets_a_new_id_that_service_and_client_see() {
    let shop = Shop::open().await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let answer = shop.get(PRODUCT, None).await;
        let id = answer.header("x-request-id").unwrap().to_owned();
        assert_eq!(received(&answer.body, "x-request-id"), [id.as_str()]);
        assert_eq!(id.parse::<Uuid>().unwrap().get_version_num(), 7);
        ids.push(id);
    }
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn an_id_that_a_client_sends_is_not_taken() {
    let shop = Shop::open().await;
    for line in [format!("GET {PRODUCT}"), "GET /nowhere".to_owned(), "GET /api/v1/orders".to_owned()] {
        for name in ["x-request-id", "X_Request_Id"] {
            let answer = raw::ask(shop.address, &line, &[&format!("{name}: chosen")]).await;
            assert!(!answer.head.contains("chosen") && !answer.body.contains("chosen"), "{line}: {answer:?}");
            assert!(answer.head.contains("x-request-id: 0"), "{line}: {}", answer.head);
        }
    }
}
