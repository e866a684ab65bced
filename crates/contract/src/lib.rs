//! Where the services meet: what they say to each other, through which queues, under which names.
//!
//! Here live the events and their envelope, the broker's topology, the edges between services with the headers that are
//! believed on them, and the bodies of internal endpoints. Nothing here talks to a network. To add an event: its payload and
//! its line in `events/`, and a message in the tests.

pub mod catalogue;
pub mod edges;
pub mod envelope;
pub mod events;
pub mod headers;
pub mod service;
pub mod topology;

pub use envelope::Envelope;
pub use events::Event;
pub use service::Service;
