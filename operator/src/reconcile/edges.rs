//! The keys of the edges between services, one look further. Pure, but for what is logged.

use std::collections::BTreeMap;

use ecommerce_contract::edges::EDGES;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::credentials::Credentials;
use crate::edge_keys::{self, EdgeKeys, Seen};
use crate::names::{Names, api_key_entry};
use crate::objects::{HASHES_FILE, Held};

/// Takes in what a person has put into the callers' Secrets, unless that is held.
pub fn look(edges: &mut BTreeMap<String, EdgeKeys>, names: &Names, held: &Held, credentials: &Credentials, now: &Time) {
    for edge in EDGES {
        let (secret, entry, title) = (names.api_keys(edge.caller), api_key_entry(edge), edge_keys::title(edge));
        let text = |secret: &str| Some(credentials.get(secret, entry)).filter(|key| !key.is_empty());
        let seen = Seen {
            asked: text(&secret).filter(|_| !held.secrets.contains(&secret)),
            sent: text(&names.edge_keys(edge.caller)),
            hashes: credentials.get(&names.api_key_hashes(edge.callee), HASHES_FILE),
        };
        let known = edges.get(&title);
        let Some(keys) = EdgeKeys::after(known, &seen, now) else { continue };
        if known.is_some_and(|known| known.next.is_none()) && keys.next.is_some() {
            tracing::info!(stack.name = names.stack, edge = title, "told a callee of another key of its caller");
        }
        if known.is_some_and(|known| known.present != keys.present) {
            tracing::info!(stack.name = names.stack, edge = title, "another key of a caller is in force");
        }
        edges.insert(title, keys);
    }
}
