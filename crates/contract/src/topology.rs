//! The broker's topology, as data. Every service declares all of it, so that nobody's start comes first.
//!
//! A queue's type is the one declared argument; limits and dead-lettering are policies, because a policy can change while
//! a declared argument can not. Who reads which event stands in the table of [`events`](crate::events).

use serde_json::{Value, json};

use crate::Service;

pub use crate::events::BINDINGS;

/// The one exchange: topic, durable.
pub const EXCHANGE: &str = "ecommerce.events";

/// How often the broker hands a message out before it goes to the dead letters. What is dead the reader decides; the broker counts for a
/// message also the ends of connections that it has nothing to do with.
pub const DELIVERY_LIMIT: u32 = 1_000;

/// The queue of a service.
#[must_use]
pub fn queue(service: Service) -> &'static str {
    service.as_str()
}

/// The queue of what a service could not read or could not do.
#[must_use]
pub fn dead_letter_queue(service: Service) -> String {
    format!("{service}.dead")
}

/// A policy of the broker: applies to the queues whose names match.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The policy's name.
    pub name: String,
    /// A regular expression over queue names.
    pub pattern: String,
    /// What holds for them.
    pub definition: Value,
}

/// A dead letter is handed out whenever a person looks at it, and stays.
const LOOKS: u32 = 1_000_000;

/// The limits and the dead-lettering of each queue; which messages a reader gives up itself, `crates/courier/src/consumer.rs`
/// decides. A message that is given up is moved, not copied and not lost:
/// `at-least-once` wants `reject-publish` and a quorum queue on both sides.
#[must_use]
pub fn policies() -> Vec<Policy> {
    let dead = Service::WITH_BROKER.map(|service| Policy {
        name: format!("dead-{service}"),
        pattern: format!("^{}$", dead_letter_queue(service)).replace('.', "\\."),
        definition: json!({ "delivery-limit": LOOKS, "overflow": "reject-publish" }),
    });
    let live = Service::WITH_BROKER.map(|service| Policy {
        name: format!("dead-letters-of-{service}"),
        pattern: format!("^{}$", queue(service)),
        definition: json!({
            "dead-letter-exchange": "",
            "dead-letter-routing-key": dead_letter_queue(service),
            "dead-letter-strategy": "at-least-once",
            "delivery-limit": DELIVERY_LIMIT,
            "overflow": "reject-publish",
        }),
    });
    live.into_iter().chain(dead).collect()
}

/// What a service's broker user may do in the stack's vhost, as regular expressions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    /// Declare these.
    pub configure: String,
    /// Publish to, or bind, these. The default exchange is not among them, so nobody writes to a queue directly.
    pub write: String,
    /// Read these.
    pub read: String,
    /// Publish to the exchange under these routing keys.
    pub topic_write: String,
    /// Bind a queue under these routing keys.
    pub topic_read: String,
}

/// The permissions of a service: it declares everything, reads its own queue and its own dead letters, and speaks under its own
/// prefix.
#[must_use]
pub fn permissions(service: Service) -> Permissions {
    let queues: Vec<String> = Service::WITH_BROKER
        .iter()
        .flat_map(|reader| [queue(*reader).to_owned(), dead_letter_queue(*reader)])
        .collect();
    let everything = format!("^({EXCHANGE}|{})$", queues.join("|")).replace('.', "\\.");
    let prefix = if service == Service::Product { "stock" } else { service.as_str() };
    Permissions {
        configure: everything.clone(),
        write: everything,
        read: format!("^({EXCHANGE}|{}|{})$", queue(service), dead_letter_queue(service)).replace('.', "\\."),
        topic_write: format!("^{prefix}\\."),
        topic_read: ".*".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_service_speaks_under_the_name_of_another() {
        assert_eq!(permissions(Service::Product).topic_write, r"^stock\.");
        assert_eq!(permissions(Service::Payment).topic_write, r"^payment\.");
        assert_eq!(permissions(Service::Order).read, r"^(ecommerce\.events|order|order\.dead)$");
    }

    #[test]
    fn every_reader_has_a_queue() {
        assert!(BINDINGS.iter().all(|(_, reader)| Service::WITH_BROKER.contains(reader)));
    }
}
