//! A service gives the broker the password that stands in its setting, whatever its characters.

use ecommerce_contract::Service;
use ecommerce_courier::{Connections, Relay, Settings};
use ecommerce_runtime::Shutdown;
use ecommerce_testing::ANY_PASSWORD;
use ecommerce_types::Clock;

use crate::stores;

#[tokio::test]
async fn a_password_of_any_characters_opens_the_broker() {
    // What an editor or a shell leaves at its end is a part of it.
    for password in [ANY_PASSWORD, &format!("{ANY_PASSWORD}\n")] {
        let (broker, database) = stores().await;
        let settings = broker.with_password(Service::Order, password).await;
        let connections = Connections::to(&settings).unwrap();
        let (relay, _outgoing) = Relay::new(connections, database.service_pool(), Clock::system());
        tokio::spawn(relay.run(Shutdown::new()));
        broker.ready().await;
    }
}

#[test]
fn an_address_that_is_none_is_not_shown() {
    let settings =
        Settings { amqp_url: "amqp:secret".into(), amqp_password: Some(ANY_PASSWORD.into()), amqp_ca_file: None };
    let error = Connections::to(&settings).unwrap_err().to_string();
    assert_eq!(error, "AMQP_URL is not of the form amqp://user@host:5672/vhost, or amqps:// for TLS");
}
