//! What a RabbitMQ is told of a stack, in the form of its definitions files: vhost, users, rights and policies. Exchange and queues
//! are not here: each service declares them. Pure.

use ecommerce_contract::{Service, topology};
use serde_json::{Value, json};

use crate::credentials::rabbit_password_hash;
use crate::names::Names;

/// The definitions of a stack. On a broker that others use too, the mark stands at whatever is the stack's.
pub fn definitions<'a>(names: &Names, password: impl Fn(Service) -> &'a str, mark: Option<&str>) -> Value {
    let vhost = names.vhost();
    let mut users = Vec::new();
    let mut permissions = Vec::new();
    let mut topic_permissions = Vec::new();
    for service in Service::WITH_BROKER {
        let user = names.user(service);
        let may = topology::permissions(service);
        let hash = rabbit_password_hash(&user, password(service));
        let tags: Vec<String> = mark.map(tag).into_iter().collect();
        users.push(json!({
            "name": user, "password_hash": hash, "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": tags,
        }));
        permissions.push(json!({
            "user": user, "vhost": vhost, "configure": may.configure, "write": may.write, "read": may.read,
        }));
        topic_permissions.push(json!({
            "user": user, "vhost": vhost, "exchange": topology::EXCHANGE,
            "write": may.topic_write, "read": may.topic_read,
        }));
    }
    // A broker of others may be of before 3.12, which knows no kinds of queues; the names are those of ours alone.
    let queues = if mark.is_some() { "queues" } else { "quorum_queues" };
    let policies: Vec<Value> = topology::policies()
        .into_iter()
        .map(|policy| {
            json!({
                "vhost": vhost, "name": policy.name, "pattern": policy.pattern, "apply-to": queues,
                "priority": 0, "definition": policy.definition,
            })
        })
        .collect();
    let mut of_vhost = json!({"name": vhost, "default_queue_type": "quorum"});
    if let Some(mark) = mark {
        of_vhost["description"] = mark.into();
        of_vhost["metadata"] = json!({"description": mark, "tags": [], "default_queue_type": "quorum"});
    }
    json!({
        "vhosts": [of_vhost],
        "users": users,
        "permissions": permissions,
        "topic_permissions": topic_permissions,
        "policies": policies,
    })
}

/// A mark as a user's tag: there a blank and a comma would part it.
#[must_use]
pub fn tag(mark: &str) -> String {
    mark.replace([' ', ','], ":")
}
