//! RabbitMQ for one test.

use ecommerce_contract::topology::{BINDINGS, DELIVERY_LIMIT, EXCHANGE, Policy, permissions, policies};
use ecommerce_contract::{Envelope, Service};
use ecommerce_courier::Settings;
use lapin::options::{
    BasicAckOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::rabbitmq::Server;
use crate::{eventually, unique_name};

/// A vhost with the policies and the users of a stack.
#[derive(Debug)]
pub struct Broker {
    server: Server,
    vhost: String,
    channel: Channel,
    _connection: Connection,
}

impl Broker {
    /// A new vhost on the server that all tests share. Its topology is declared by the first service that connects.
    ///
    /// # Panics
    /// When no server answers.
    pub async fn create() -> Self {
        Self::create_on(Server::shared()).await
    }

    /// The same on this server.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn create_on(server: Server) -> Self {
        let vhost = unique_name();
        let manage = async |method, path: &str, body| server.manage(method, path, body).await;
        manage(Method::PUT, &format!("vhosts/{vhost}"), None).await;
        let everything = json!({ "configure": ".*", "write": ".*", "read": ".*" });
        manage(Method::PUT, &format!("permissions/{vhost}/guest"), Some(everything)).await;
        for policy in policies() {
            set_policy(&server, &vhost, &policy).await;
        }
        for service in Service::WITH_BROKER {
            let user = format!("{vhost}.{service}");
            manage(Method::PUT, &format!("users/{user}"), Some(json!({ "password": vhost, "tags": "" }))).await;
            let allowed = permissions(service);
            let body = json!({ "configure": allowed.configure, "write": allowed.write, "read": allowed.read });
            manage(Method::PUT, &format!("permissions/{vhost}/{user}"), Some(body)).await;
            let body = json!({ "exchange": EXCHANGE, "write": allowed.topic_write, "read": allowed.topic_read });
            manage(Method::PUT, &format!("topic-permissions/{vhost}/{user}"), Some(body)).await;
        }
        let url = format!("{}/{vhost}", server.amqp);
        let connection =
            Connection::connect(&url, ConnectionProperties::default()).await.expect("connect to the test broker");
        let channel = connection.create_channel().await.expect("open a channel");
        channel.confirm_select(ConfirmSelectOptions::default()).await.expect("ask for confirms");
        Self { server, vhost, channel, _connection: connection }
    }

    /// As `service` logs in, with its own permissions and no more.
    ///
    /// # Panics
    /// When the server's address is none.
    #[must_use]
    pub fn settings(&self, service: Service) -> Settings {
        let mut url = url::Url::parse(&self.server.amqp).expect("an address");
        url.set_username(&format!("{}.{service}", self.vhost)).expect("an address with a user");
        url.set_password(Some(&self.vhost)).expect("an address with a password");
        url.set_path(&self.vhost);
        Settings { amqp_url: url.to_string().into(), amqp_password: None, amqp_ca_file: None }
    }

    /// The same with this password, in place of the one that it was made with.
    ///
    /// # Panics
    /// When the server's address is none.
    pub async fn with_password(&self, service: Service, password: &str) -> Settings {
        let user = format!("{}.{service}", self.vhost);
        self.server
            .manage(Method::PUT, &format!("users/{user}"), Some(json!({ "password": password, "tags": "" })))
            .await;
        let Settings { amqp_url, .. } = self.settings(service);
        let mut url = url::Url::parse(amqp_url.expose_secret()).expect("an address");
        url.set_password(None).expect("an address with a user");
        Settings { amqp_url: url.to_string().into(), amqp_password: Some(password.into()), amqp_ca_file: None }
    }

    /// Has the queues of messages that are to be handled hand each out so often, and then give it up.
    pub async fn limit_deliveries(&self, most: u32) {
        for mut policy in policies() {
            if policy.definition["delivery-limit"] == DELIVERY_LIMIT {
                policy.definition["delivery-limit"] = most.into();
                set_policy(&self.server, &self.vhost, &policy).await;
            }
        }
    }

    /// Declares the topology as every service does, for a test that writes before anybody reads.
    ///
    /// # Panics
    /// When the broker refuses.
    pub async fn declare(&self) {
        ecommerce_courier::topology::declare(&self.channel).await.expect("declare the topology");
    }

    /// From now on every event that is published goes into a queue of this name too, whoever else reads it.
    ///
    /// # Panics
    /// When the broker refuses.
    pub async fn hear_all(&self, queue: &str) {
        let declared = self.channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), FieldTable::default());
        declared.await.expect("declare a queue");
        let bound = QueueBindOptions::default();
        let bound = self.channel.queue_bind(queue.into(), EXCHANGE.into(), "#".into(), bound, FieldTable::default());
        bound.await.expect("bind a queue");
    }

    /// How many messages wait in a queue that nobody has been handed, at this moment.
    ///
    /// # Panics
    /// When there is no such queue.
    pub async fn waiting(&self, queue: &str) -> u32 {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let queue = self.channel.queue_declare(queue.into(), passive, FieldTable::default()).await;
        queue.expect("a queue").message_count()
    }

    /// Waits until the whole topology stands, which is when a service has connected.
    pub async fn ready(&self) {
        let path = format!("exchanges/{}/{EXCHANGE}/bindings/source", self.vhost);
        eventually("a service declares the topology", || async {
            let bindings = self.server.manage(Method::GET, &path, None).await;
            (bindings.as_array().map(Vec::len) == Some(BINDINGS.len())).then_some(())
        })
        .await;
    }

    /// Gives an event to whoever reads it, as its sender would.
    ///
    /// # Panics
    /// When the broker does not confirm it.
    pub async fn publish(&self, envelope: &Envelope) {
        let body = serde_json::to_vec(envelope).expect("an envelope is JSON");
        self.publish_bytes(envelope.event.routing_key(), &body).await;
    }

    /// Gives any bytes to whoever reads this routing key.
    ///
    /// # Panics
    /// When the broker does not confirm them.
    pub async fn publish_bytes(&self, routing_key: &str, body: &[u8]) {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let properties = BasicProperties::default().with_delivery_mode(2);
        let confirm = self.channel.basic_publish(EXCHANGE.into(), routing_key.into(), options, body, properties).await;
        let confirmation = confirm.expect("publish").await.expect("a confirm");
        assert_eq!(confirmation, lapin::Confirmation::Ack(None), "a queue takes {routing_key}");
    }

    /// Takes the next event out of a queue that nobody else reads; waits for it.
    ///
    /// # Panics
    /// When none comes in time, or what comes is no envelope.
    pub async fn next(&self, queue: &str) -> Envelope {
        let body = eventually("an event arrives", || self.take(queue)).await;
        serde_json::from_slice(&body).expect("an envelope")
    }

    /// Takes a message's bytes out of a queue, if there is one.
    ///
    /// # Panics
    /// When the broker does not answer.
    pub async fn take(&self, queue: &str) -> Option<Vec<u8>> {
        let message = self.channel.basic_get(queue.into(), BasicGetOptions::default()).await.expect("ask the queue")?;
        message.delivery.ack(BasicAckOptions::default()).await.expect("acknowledge");
        Some(message.delivery.data)
    }

    /// How many messages a queue holds, handed out or not, as far as the broker has counted.
    pub async fn depth(&self, queue: &str) -> Option<u64> {
        self.queue(queue).await?["messages"].as_u64()
    }

    /// Deletes a queue and what is in it, as a person may by mistake.
    pub async fn delete(&self, queue: &str) {
        self.server.manage(Method::DELETE, &format!("queues/{}/{queue}", self.vhost), None).await;
    }

    /// Cuts every connection of this vhost but the test's own, as a broker that restarts does.
    pub async fn cut_connections(&self) {
        for name in self.connections().await {
            let name = utf8_percent_encode(&name, NON_ALPHANUMERIC);
            self.server.manage(Method::DELETE, &format!("connections/{name}"), None).await;
        }
    }

    /// The connections of this vhost but the test's own, as far as the broker has counted.
    pub async fn connections(&self) -> Vec<String> {
        let connections = self.server.manage(Method::GET, "connections", None).await;
        let connections = connections.as_array().into_iter().flatten();
        let ours = connections.filter(|one| one["vhost"] == self.vhost.as_str() && one["user"] != "guest");
        ours.filter_map(|one| Some(one["name"].as_str()?.to_owned())).collect()
    }

    async fn queue(&self, name: &str) -> Option<Value> {
        let queue = self.server.manage(Method::GET, &format!("queues/{}/{name}", self.vhost), None).await;
        queue.get("name").is_some().then_some(queue)
    }
}

async fn set_policy(server: &Server, vhost: &str, policy: &Policy) {
    let body = json!({ "pattern": policy.pattern, "definition": policy.definition, "apply-to": "queues" });
    server.manage(Method::PUT, &format!("policies/{vhost}/{}", policy.name), Some(body)).await;
}
