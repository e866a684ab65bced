//! Every name that is made from a stack's: of objects in Kubernetes, of databases and roles, of vhosts, users and prefixes.
//!
//! Names outside of Kubernetes carry namespace and stack, so that stacks can share a server. To add one: a function here,
//! and its row in the test that no two stacks of a namespace share a name.

use ecommerce_contract::Service;
use ecommerce_contract::edges::Edge;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The field manager of everything that the operator writes, and the value of `app.kubernetes.io/managed-by`.
pub const MANAGER: &str = "ecommerce-stack-operator";
/// The label that says to which stack an object belongs.
pub const STACK_LABEL: &str = "ecommercestack.dev/stack";
/// PostgreSQL cuts longer names off.
const POSTGRES_NAME_BYTES: usize = 63;

/// A backing store of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// The databases.
    Postgres,
    /// The message broker.
    Rabbitmq,
    /// Sessions and the cache.
    Redis,
}

impl Backend {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Postgres, Self::Rabbitmq, Self::Redis];

    /// As it is written in names and in the spec.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Rabbitmq => "rabbitmq",
            Self::Redis => "redis",
        }
    }

    /// Where it listens.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Postgres => 5432,
            Self::Rabbitmq => 5672,
            Self::Redis => 6379,
        }
    }
}

/// The names of one stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// The stack's namespace.
    pub namespace: String,
    /// The stack's name.
    pub stack: String,
}

impl Names {
    /// The names of a stack.
    #[must_use]
    pub fn new(namespace: &str, stack: &str) -> Self {
        Self { namespace: namespace.to_owned(), stack: stack.to_owned() }
    }

    fn with(&self, suffix: &str) -> String {
        format!("{}-{suffix}", self.stack)
    }

    /// Deployment and Service of a service.
    #[must_use]
    pub fn service(&self, service: Service) -> String {
        self.with(service.as_str())
    }

    /// Where a service answers inside the cluster.
    #[must_use]
    pub fn service_url(&self, service: Service) -> String {
        format!("http://{}:8080", self.service(service))
    }

    /// `StatefulSet`, Service and credential Secret of a backing store.
    #[must_use]
    pub fn backend(&self, backend: Backend) -> String {
        self.with(backend.as_str())
    }

    /// The configuration of a backing store.
    #[must_use]
    pub fn backend_config(&self, backend: Backend) -> String {
        self.with(&format!("{}-config", backend.as_str()))
    }

    /// The Secret of how a backing store of others is reached, as the services are told.
    #[must_use]
    pub fn addresses(&self, backend: Backend) -> String {
        self.with(&format!("{}-addresses", backend.as_str()))
    }

    /// What stands beside whatever is this stack's on a server that others use too. The seal tells it from a stack of the same name
    /// in another cluster.
    #[must_use]
    pub fn mark(&self, seal: &str) -> String {
        format!("ecommercestack.dev {}/{} {}", self.namespace, self.stack, short_hash([seal]))
    }

    /// The one pod of a backing store, as its `StatefulSet` names it.
    #[must_use]
    pub fn store_pod(&self, backend: Backend) -> String {
        format!("{}-0", self.backend(backend))
    }

    /// The claim of a backing store, as its `StatefulSet` names it.
    #[must_use]
    pub fn claim(&self, backend: Backend) -> String {
        format!("data-{}", self.store_pod(backend))
    }

    /// The Secret of the keys that a caller is to send; a person may put others there.
    #[must_use]
    pub fn api_keys(&self, caller: Service) -> String {
        self.with(&format!("{caller}-api-keys"))
    }

    /// The Secret that a caller's pods read their keys from; it follows that one.
    #[must_use]
    pub fn edge_keys(&self, caller: Service) -> String {
        self.with(&format!("{caller}-edge-keys"))
    }

    /// The Secret of the hashes that a callee compares with.
    #[must_use]
    pub fn api_key_hashes(&self, callee: Service) -> String {
        self.with(&format!("{callee}-api-key-hashes"))
    }

    /// The Secret of the key that signs access tokens.
    #[must_use]
    pub fn signing_key(&self) -> String {
        self.with("signing-key")
    }

    /// The Secret of the salt of whatever stands for a password that somebody else has made.
    #[must_use]
    pub fn salt(&self) -> String {
        self.with("salt")
    }

    /// The Secret of the first administrator.
    #[must_use]
    pub fn admin(&self) -> String {
        self.with("admin")
    }

    /// The `ControllerRevision` of a service's pods.
    #[must_use]
    pub fn revision(&self, service: Service, hash: &str) -> String {
        self.with(&format!("{service}-{hash}"))
    }

    /// The `ConfigMap` of what must outlive the stack's status.
    #[must_use]
    pub fn ledger(&self) -> String {
        self.with("ledger")
    }

    /// The `ConfigMap` of what the services log.
    #[must_use]
    pub fn log(&self) -> String {
        self.with("log")
    }

    /// The provisioning Job for these inputs.
    #[must_use]
    pub fn provisioning_job(&self, key: &str) -> String {
        self.with(&format!("provision-{key}"))
    }

    /// The migration Job of a service for an image and a database.
    #[must_use]
    pub fn migration_job(&self, service: Service, key: &str) -> String {
        self.with(&format!("{service}-migrate-{key}"))
    }

    /// `aud` of access tokens, vhost, and the first part of broker and Redis users.
    #[must_use]
    pub fn qualified(&self) -> String {
        format!("{}.{}", self.namespace, self.stack)
    }

    /// `<namespace>.<stack>`.
    #[must_use]
    pub fn vhost(&self) -> String {
        self.qualified()
    }

    /// A service's user at the broker and at Redis.
    #[must_use]
    pub fn user(&self, service: Service) -> String {
        format!("{}.{service}", self.qualified())
    }

    /// What every key in Redis begins with.
    #[must_use]
    pub fn redis_prefix(&self) -> String {
        format!("{}.{}:", self.namespace, self.stack)
    }

    /// A service's database.
    #[must_use]
    pub fn database(&self, service: Service) -> String {
        self.in_postgres(service.as_str())
    }

    /// The role that owns a service's tables; no one logs in as it.
    #[must_use]
    pub fn owner_role(&self, service: Service) -> String {
        self.in_postgres(&format!("{service}_owner"))
    }

    /// The role that reads and writes a service's rows; no one logs in as it.
    #[must_use]
    pub fn service_role(&self, service: Service) -> String {
        self.in_postgres(&format!("{service}_service"))
    }

    /// The login that migrates: member of the owner.
    #[must_use]
    pub fn migrate_login(&self, service: Service) -> String {
        self.in_postgres(&format!("{service}_migrate"))
    }

    /// The login that serves: member of the service's role.
    #[must_use]
    pub fn service_login(&self, service: Service) -> String {
        self.in_postgres(&format!("{service}_login"))
    }

    /// The hash tells stacks apart whose names would read the same: `a-b` in `c` and `b` in `c-a`.
    fn in_postgres(&self, suffix: &str) -> String {
        let hash = short_hash([self.namespace.as_str(), &self.stack]);
        let mut head = format!("{}_{}", self.namespace, self.stack).replace('-', "_");
        head.truncate(POSTGRES_NAME_BYTES - suffix.len() - hash.len() - 2);
        format!("{head}_{hash}_{suffix}")
    }

    /// The address of the first administrator where the spec names none.
    #[must_use]
    pub fn default_admin_email(&self) -> String {
        format!("admin@{}.{}.svc", self.stack, self.namespace)
    }

    /// All names of objects in Kubernetes that do not depend on what they hold.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        let mut names = vec![self.signing_key(), self.admin(), self.ledger(), self.log()];
        for backend in Backend::ALL {
            names.extend([self.backend(backend), self.backend_config(backend), self.addresses(backend)]);
        }
        for service in Service::ALL {
            let secrets = [self.api_keys(service), self.edge_keys(service), self.api_key_hashes(service)];
            names.extend(secrets.into_iter().chain([self.service(service)]));
        }
        names
    }
}

/// The key under which a caller's Secret holds the key of an edge.
#[must_use]
pub fn api_key_entry(edge: Edge) -> &'static str {
    edge.callee.as_str()
}

/// Eight hexadecimal digits that stand for these texts.
#[must_use]
pub fn short_hash<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = long_hash(texts);
    hash.truncate(8);
    hash
}

/// The SHA-256 of these texts; where one ends and the next begins counts.
#[must_use]
pub fn long_hash<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut digest = Sha256::new();
    for text in texts {
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text);
    }
    hex::encode(digest.finalize())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_stacks_of_a_namespace_share_a_name() {
        // The only stacks whose names could meet are those where one name continues the other.
        let shop = Names::new("default", "shop");
        let taken: BTreeSet<String> = shop.all().into_iter().collect();
        assert_eq!(taken.len(), shop.all().len());
        for name in &taken {
            let tail = name.strip_prefix("shop-").unwrap();
            for (at, _) in tail.match_indices('-') {
                let other = Names::new("default", &format!("shop-{}", &tail[..at]));
                assert!(other.all().iter().all(|theirs| !taken.contains(theirs)), "{} meets {name}", other.stack);
            }
        }
    }

    #[test]
    fn a_long_namespace_still_gives_names_that_postgres_keeps_whole() {
        let names = Names::new(&"n".repeat(63), &"s".repeat(30));
        let login = names.migrate_login(Service::Product);
        assert_eq!(login.len(), 63);
        assert!(login.ends_with("_product_migrate"));
        assert_ne!(login, Names::new(&"n".repeat(63), &"t".repeat(30)).migrate_login(Service::Product));
        let database = Names::new("default", "my-shop").database(Service::Order);
        assert!(database.starts_with("default_my_shop_") && database.ends_with("_order"), "{database}");
    }

    #[test]
    fn no_two_stacks_on_one_server_share_a_name() {
        let parts = ["a", "b", "a-b", "b-a", "a-a", "a-b-a", "shop", "team", "team-a", "a-shop", "team-a-shop"];
        let stacks = parts.iter().flat_map(|namespace| parts.iter().map(|stack| Names::new(namespace, stack)));
        let mut taken = BTreeSet::new();
        for names in stacks {
            for name in
                [names.database(Service::Order), names.vhost(), names.redis_prefix(), names.user(Service::Order)]
            {
                assert!(taken.insert(name.clone()), "{names:?}: {name}");
            }
        }
    }

    /// Every name of up to five letters and dashes, and the longest that there are.
    fn names_that_nearly_meet(longest: usize) -> Vec<String> {
        let mut names = vec!["a".to_owned()];
        let mut from = 0;
        while from < names.len() {
            let name = names[from].clone();
            from += 1;
            if name.len() < 5 {
                names.extend(["a", "-"].map(|next| format!("{name}{next}")));
            }
        }
        names.retain(|name| !name.ends_with('-'));
        names.extend(["a", "-a"].map(|end| format!("{}{end}", "a".repeat(longest - end.len()))));
        names
    }

    #[test]
    fn no_name_of_a_stack_on_a_server_is_one_of_another() {
        let mut taken = BTreeSet::new();
        let [namespaces, stacks] = [63, 30].map(names_that_nearly_meet);
        for names in namespaces.iter().flat_map(|space| stacks.iter().map(|stack| Names::new(space, stack))) {
            let of_service = |service| {
                let roles = [names.owner_role(service), names.service_role(service)];
                let logins = [names.migrate_login(service), names.service_login(service)];
                roles.into_iter().chain(logins).chain([names.database(service), names.user(service)])
            };
            let of_services = Service::ALL.into_iter().flat_map(of_service);
            for name in of_services.chain([names.vhost(), names.redis_prefix(), names.mark("one seal for all")]) {
                assert!(taken.insert(name.clone()), "{names:?}: {name}");
            }
        }
        assert!(taken.len() > 10_000, "{}", taken.len());
    }

    #[test]
    fn the_longest_stack_name_leaves_room_for_the_longest_object() {
        let names = Names::new("default", &"s".repeat(30));
        assert!(names.migration_job(Service::Product, "01234567").len() <= 63);
        // A StatefulSet's name and an eleven character revision make one label.
        assert!(names.backend(Backend::Rabbitmq).len() + 11 <= 63);
    }
}
