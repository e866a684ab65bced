//! The operator of `EcommerceStack`: it gives a shop its stores, its secrets, its databases and its five services, and
//! keeps them that way.
//!
//! The resource is in [`crd`]. One reconcile is [`reconcile`], one file a step; what is made of a spec is [`objects`], pure.
//! [`controller`] wakes reconciles, [`provision`] runs inside a Job of the stack. No business of a shop is here.

pub mod amount;
pub mod backoff;
pub mod controller;
pub mod crd;
pub mod credential_fault;
pub mod credentials;
pub mod definitions;
pub mod edge_keys;
pub mod external;
pub mod health;
pub mod kinds;
pub mod leadership;
pub mod ledger;
pub mod metrics;
pub mod names;
pub mod objects;
pub mod provision;
pub mod reconcile;
pub mod resolve;
pub mod rollout;
pub mod settings;
pub mod smtp;
pub mod store_form;
