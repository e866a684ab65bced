//! Who may call whom inside a stack. Each edge has an API key of its own; what is not here has none and is refused.

use crate::Service;

/// A caller and the callee that knows the caller's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edge {
    /// The service that sends the key.
    pub caller: Service,
    /// The service that knows the key's hash.
    pub callee: Service,
}

/// Every edge.
pub const EDGES: [Edge; 5] = [
    Edge { caller: Service::Gateway, callee: Service::Auth },
    Edge { caller: Service::Gateway, callee: Service::Product },
    Edge { caller: Service::Gateway, callee: Service::Order },
    Edge { caller: Service::Gateway, callee: Service::Payment },
    Edge { caller: Service::Order, callee: Service::Product },
];
