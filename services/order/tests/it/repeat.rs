//! `order repeat`

use ecommerce_contract::Event;
use order::REPEAT;
use secrecy::ExposeSecret as _;
use serde_json::json;
use time::Duration;
use time::format_description::well_known::Rfc3339;

use crate::shop::Shop;

#[tokio::test]
async fn one_order_that_does_not_read_is_named_and_the_others_are_told_of() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let mut ended = Vec::new();
    for _ in 0..3 {
        let id = shop.order(&customer).await;
        customer.post(&format!("/api/v1/orders/{id}/cancel"), json!(null)).await;
        for reader in ["product", "payment"] {
            assert!(matches!(shop.published_to(reader).await.event, Event::OrderClosed(_)));
        }
        ended.push(id);
        shop.clock.advance(Duration::milliseconds(1));
    }
    let changed = sqlx::query("update orders set lines = '{\"of\": \"another version\"}' where id = $1");
    changed.bind(ended[1].0).execute(&shop.database.pool).await.unwrap();
    let since = (shop.clock.now() - Duration::HOUR).format(&Rfc3339).unwrap();
    let until = (shop.clock.now() + Duration::HOUR).format(&Rfc3339).unwrap();
    let url = shop.database.settings.database_url.expose_secret().to_owned();
    let command = (REPEAT.arguments)(clap::Command::new("repeat"));
    let matches = command.get_matches_from(["repeat", "--since", &since, "--until", &until, "--database-url", &url]);
    let said = (REPEAT.run)(matches).await.unwrap_err().to_string();
    assert!(said.starts_with("2 events are on their way again") && said.contains(&ended[1].to_string()), "{said}");
    let mut told = Vec::new();
    for _ in 0..2 {
        told.push(shop.published_to("payment").await.event.order_id());
    }
    told.sort_unstable();
    assert_eq!(told, [ended[0], ended[2]]);
}
