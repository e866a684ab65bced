//! A stack on stores of others: what becomes of it while the Secret that says where they are is found, absent, half written, rotated
//! and removed. What CloudNativePG and RabbitMQ's operator write is written here by hand.

use k8s_openapi::ByteString;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Secret, Service};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::api::{DeleteParams, ListParams, PostParams};
use serde_json::{Value, json};

use crate::story::{APPS, CORE, JOBS, LEDGER, STACK, Story};
use crate::walk::Walk;

fn on_postgres() -> Value {
    json!({"postgres": {"external": {"secretRef": {"name": "db-superuser"}}}})
}

fn on_both() -> Value {
    json!({
        "postgres": {"external": {"secretRef": {"name": "db-superuser"}}},
        "rabbitmq": {"external": {"secretRef": {"name": "mq-default-user"}}},
    })
}

/// The Secret of a superuser as CloudNativePG writes it.
fn of_cloud_native_pg(password: &str) -> Value {
    json!({
        "username": "postgres", "user": "postgres", "password": password, "dbname": "*", "host": "db-rw", "port": "5432",
        "uri": format!("postgresql://postgres:{password}@db-rw.team:5432/*"),
        "fqdn-uri": format!("postgresql://postgres:{password}@db-rw.team.svc.cluster.local:5432/*"),
    })
}

/// The same of a server of another name.
fn moved(host: &str) -> Value {
    let mut said = of_cloud_native_pg("one");
    for key in ["uri", "fqdn-uri", "host"] {
        said[key] = said[key].as_str().unwrap().replace("db-rw", host).into();
    }
    said
}

/// The Secret of the default user as RabbitMQ's cluster operator writes it.
fn of_rabbitmq(password: &str) -> Value {
    json!({
        "username": "default_user_x", "password": password, "host": "mq.team.svc", "port": "5672", "provider": "rabbitmq",
        "type": "rabbitmq", "connection_string": format!("amqp://default_user_x:{password}@mq.team.svc:5672/"),
    })
}

fn encoded(said: &Value) -> Value {
    let said = said.as_object().unwrap().iter();
    let bytes = |text: &Value| serde_json::to_value(ByteString(text.as_str().unwrap().as_bytes().to_vec())).unwrap();
    said.map(|(key, text)| (key.clone(), bytes(text))).collect::<serde_json::Map<_, _>>().into()
}

const REVISIONS: &str = "/apis/apps/v1/namespaces/default/controllerrevisions/";

/// Against the API server of a few lines, where every step of the cluster is the test's own.
struct OfStory(Story);

impl OfStory {
    fn of(spec: &Value) -> Self {
        Self(Story::of(spec))
    }

    fn write(&self, name: &str, said: &Value) {
        self.0.api.put(&format!("{CORE}/secrets/{name}"), json!({"metadata": {"name": name}, "data": encoded(said)}));
    }

    async fn look(&self) {
        self.0.reconcile().await.unwrap();
    }

    fn provision(&self) {
        self.provision_as("id");
    }

    /// As a Job does that has found databases with ids of this kind.
    fn provision_as(&self, id: &str) {
        let each = ["auth", "product", "order", "payment"].map(|service| (service, format!("{id}-{service}")));
        let ids: std::collections::BTreeMap<_, _> = each.into();
        self.0.end_job("shop-provision-", "Complete", &json!(ids).to_string());
    }

    /// What the cluster does until nothing moves.
    async fn settle(&self) {
        for _ in 0..8 {
            self.look().await;
            self.0.migrate();
            self.0.serve();
        }
        self.look().await;
    }

    async fn open(spec: &Value) -> Self {
        let story = Self::of(spec);
        story.write("db-superuser", &of_cloud_native_pg("one"));
        story.write("mq-default-user", &of_rabbitmq("one"));
        story.look().await;
        story.provision();
        story.settle().await;
        assert_eq!(story.0.condition("Ready").0, "True", "{:?}", story.0.condition("Ready"));
        story
    }

    /// All that services are told under a name, or were told and still are.
    fn all_told(&self, store: &str, name: &str) -> Vec<String> {
        let secret = self.0.api.get(&format!("{CORE}/secrets/shop-{store}-addresses"));
        let Some(Value::Object(entries)) = secret.map(|secret| secret["data"].clone()) else { return Vec::new() };
        let is_of_name = |entry: &str| entry.rsplit_once('.').is_some_and(|(what, _)| what == name);
        let told = entries.into_iter().filter(|(entry, _)| is_of_name(entry));
        let text = |bytes| String::from_utf8(serde_json::from_value::<ByteString>(bytes).unwrap().0).unwrap();
        told.map(|(_, bytes)| text(bytes)).collect()
    }

    /// What services are told under a name, where nobody is there any more who was told something else.
    fn told(&self, store: &str, name: &str) -> Option<String> {
        let mut all = self.all_told(store, name);
        assert!(all.len() < 2, "{name}: {all:?}");
        all.pop()
    }

    /// What a service's pods are told by a variable that they read from the Secret of a store's addresses.
    fn told_to(&self, service: &str, variable: &str, store: &str) -> String {
        let pods = self.pods();
        let variables = of_pod(&pods, service).0;
        let read = variables.as_array().unwrap().iter().find(|read| read["name"] == variable).unwrap().clone();
        let read = &read["valueFrom"]["secretKeyRef"];
        let secret = self.0.api.get(&format!("{CORE}/secrets/shop-{store}-addresses")).unwrap();
        assert_eq!(read["name"], secret["metadata"]["name"]);
        // Whoever reads it finds it.
        let bytes = secret["data"].get(read["key"].as_str().unwrap()).unwrap().clone();
        String::from_utf8(serde_json::from_value::<ByteString>(bytes).unwrap().0).unwrap()
    }

    fn pods(&self) -> Vec<Value> {
        let names = self.0.api.below(&format!("{APPS}/deployments/"));
        names
            .iter()
            .map(|name| self.0.api.get(&format!("{APPS}/deployments/{name}")).unwrap()["spec"].clone())
            .collect()
    }

    /// Of the services, the gateway alone asks nothing of PostgreSQL.
    fn with_pods(&self) -> Vec<String> {
        self.0.api.below(&format!("{APPS}/deployments/"))
    }

    fn provisioning(&self) -> Vec<String> {
        self.0.api.below(JOBS).into_iter().filter(|name| name.starts_with("shop-provision-")).collect()
    }
}

#[tokio::test]
async fn a_stack_waits_for_the_secret_and_begins_when_it_is_whole() {
    let story = OfStory::of(&on_postgres());
    story.look().await;
    let (ready, reason, message) = story.0.condition("Ready");
    assert_eq!((ready.as_str(), reason.as_str()), ("False", "StoreSecretMissing"));
    assert!(
        message.starts_with("the Secret db-superuser, which spec.postgres.external.secretRef names, is not there"),
        "{message}"
    );
    assert!(story.provisioning().is_empty() && story.with_pods() == ["shop-gateway"]);

    story.write("db-superuser", &json!({"host": "db-rw", "username": "postgres"}));
    story.look().await;
    let (_, reason, message) = story.0.condition("Ready");
    assert_eq!(reason, "StoreSecretInvalid");
    assert!(message.contains("has no password") && message.contains("the stack begins when it is"), "{message}");
    assert!(story.provisioning().is_empty() && story.with_pods() == ["shop-gateway"]);

    story.write("db-superuser", &of_cloud_native_pg("one"));
    story.look().await;
    assert_eq!(story.provisioning().len(), 1);
    assert_eq!(story.told("postgres", "order.url"), None, "nothing is told before it was tried");
    story.provision();
    story.settle().await;
    let (ready, _, message) = story.0.condition("Ready");
    assert_eq!(ready, "True", "{message}");
    assert!(message.ends_with("others run postgres, and size, upgrade and back up what they run"), "{message}");
}

#[tokio::test]
async fn a_store_of_others_has_no_pod_and_services_are_told_where_it_is() {
    let story = OfStory::open(&on_both()).await;
    let sets = story.0.api.below(&format!("{APPS}/statefulsets/"));
    assert_eq!(sets, ["shop-redis"]);
    let names = story.0.api.below(&format!("{CORE}/services/"));
    assert!(!names.iter().any(|name| name.ends_with("postgres") || name.ends_with("rabbitmq")), "{names:?}");
    let order = story.told("postgres", "order.url").unwrap();
    assert!(
        order.starts_with("postgres://default_shop_") && order.contains("_order_login@db-rw.team:5432/default_shop_"),
        "{order}"
    );
    assert_eq!(story.told("rabbitmq", "order.url").unwrap(), "amqp://default.shop.order@mq.team.svc:5672/default.shop");
    assert_eq!(story.told("rabbitmq", "gateway.url"), None);
    let stores = story.0.stack().status.unwrap().stores;
    let said: Vec<_> =
        stores.iter().map(|store| (store.address.as_str(), store.image.is_some(), store.ready)).collect();
    assert_eq!(
        said,
        [("db-rw.team:5432", false, true), ("mq.team.svc:5672", false, true), ("shop-redis:6379", true, true)]
    );
    let secret = story.0.api.get(&format!("{CORE}/secrets/shop-postgres")).unwrap();
    assert!(secret["data"].get("superuser").is_none() && secret["data"].get("seal").is_some());
}

#[tokio::test]
async fn a_bad_edit_is_named_and_rolls_nothing() {
    let story = OfStory::open(&on_postgres()).await;
    let (pods, url) = (story.pods(), story.told("postgres", "order.url"));
    let jobs = story.provisioning();
    let elsewhere = "postgres://postgres:one@other/x";
    for (said, word) in [
        (json!({"host": "db-rw", "username": "postgres"}), "has no password"),
        (json!({"uri": "mysql://root:p@db"}), "has a uri that has another scheme"),
        (json!({"uri": elsewhere, "host": "db-rw"}), "says one host in uri and another in host"),
        (json!({"uri": elsewhere, "ca.crt": "none"}), "has a ca.crt that is not PEM"),
    ] {
        story.write("db-superuser", &said);
        story.settle().await;
        let (ready, reason, message) = story.0.condition("Ready");
        assert_eq!((ready.as_str(), reason.as_str()), ("False", "StoreSecretInvalid"), "{message}");
        assert!(message.contains(word) && message.contains("the services go on with what it said before"), "{message}");
        assert_eq!(story.0.condition("Available").0, "True");
        assert!(story.pods() == pods && story.told("postgres", "order.url") == url && story.provisioning() == jobs);
    }
    story.0.api.remove(&format!("{CORE}/secrets/db-superuser"));
    story.settle().await;
    assert_eq!(story.0.condition("Ready").1, "StoreSecretMissing");
    assert!(story.pods() == pods && story.told("postgres", "order.url") == url && story.provisioning() == jobs);

    story.write("db-superuser", &of_cloud_native_pg("one"));
    story.settle().await;
    assert_eq!(story.0.condition("Ready").0, "True");
    assert!(story.pods() == pods);
}

#[tokio::test]
async fn another_address_reaches_the_services_once_every_login_was_tried_there() {
    let story = OfStory::open(&on_postgres()).await;
    let (pods, url) = (story.pods(), story.told("postgres", "order.url"));
    let moved = moved("new-rw");
    story.write("db-superuser", &moved);
    story.look().await;
    story.look().await;
    assert_eq!(story.provisioning().len(), 1, "that of before goes: {:?}", story.provisioning());
    assert!(story.pods() == pods && story.told("postgres", "order.url") == url);

    let words = json!({"level": "ERROR", "message": "the process ends", "error": "the Secret db-superuser: the server of its uri does not answer"});
    story.0.end_job("shop-provision-", "Failed", &words.to_string());
    story.settle().await;
    let (_, reason, message) = story.0.condition("Ready");
    assert_eq!(reason, "ProvisioningFailed");
    assert!(message.contains("the server of its uri does not answer"), "{message}");
    assert_eq!(story.0.condition("Available").0, "True");
    assert!(story.pods() == pods && story.told("postgres", "order.url") == url);

    // What was tried once more is that of before.
    story.write("db-superuser", &of_cloud_native_pg("one"));
    story.look().await;
    story.look().await;
    story.provision();
    story.settle().await;
    assert_eq!(story.0.condition("Ready").0, "True");
    assert!(story.pods() == pods && story.told("postgres", "order.url") == url);

    story.write("db-superuser", &moved);
    story.look().await;
    story.look().await;
    story.provision();
    story.settle().await;
    assert_eq!(story.0.condition("Ready").0, "True");
    assert!(story.told("postgres", "order.url").unwrap().contains("@new-rw.team:5432/"));
    assert!(story.pods() != pods);
}

/// A slip of the pen: the shop would be empty, and half of it would still be where it was while the other half moves.
#[tokio::test]
async fn an_open_shop_stays_with_its_databases_whatever_is_said() {
    let story = OfStory::open(&on_postgres()).await;
    let (pods, databases) = (story.pods(), story.0.ledger().databases);
    story.write("db-superuser", &moved("new-rw"));
    story.look().await;
    story.look().await;
    story.provision_as("another");
    story.settle().await;
    let (ready, reason, message) = story.0.condition("Ready");
    assert_eq!((ready.as_str(), reason.as_str()), ("False", "OtherDatabases"), "{message}");
    assert!(message.contains("the Secret db-superuser") && message.contains("made anew"), "{message}");
    assert_eq!(story.0.condition("Available").0, "True");
    let word = story.0.ledger().provisioning_failure.unwrap().found.unwrap();
    story.0.api.change(STACK, |stack| stack["metadata"]["annotations"] = json!({"ecommercestack.dev/adopt": word}));
    story.settle().await;
    assert!(story.pods() == pods && story.0.ledger().databases == databases);

    // Neither does it say yes who takes the ledger away.
    story.0.api.remove(LEDGER);
    story.settle().await;
    assert_eq!(story.0.condition("Ready").1, "OtherDatabases");
    assert!(story.pods() == pods);
    story.write("db-superuser", &of_cloud_native_pg("one"));
    story.look().await;
    story.look().await;
    story.provision();
    story.settle().await;
    assert_eq!(story.0.condition("Ready").1, "Ready");
    assert!(story.pods() == pods && story.0.ledger().databases == databases);
}

/// The stack was made anew: its ledger is there, and nothing of it that runs.
#[tokio::test]
async fn a_shop_that_moves_opens_once_a_person_has_said_that_its_rows_are_there() {
    let story = OfStory::open(&on_postgres()).await;
    let of_stack = [format!("{APPS}/deployments/"), REVISIONS.to_owned(), JOBS.to_owned(), format!("{CORE}/pods/")];
    for path in of_stack {
        story.0.api.below(&path).iter().for_each(|name| story.0.api.remove(&format!("{path}{name}")));
    }
    story.0.api.remove(&format!("{CORE}/secrets/shop-postgres-addresses"));
    story.write("db-superuser", &moved("new-rw"));
    story.look().await;
    story.provision_as("another");
    story.settle().await;
    let (_, reason, message) = story.0.condition("Ready");
    assert_eq!(reason, "OtherDatabases");
    assert_eq!(story.with_pods(), ["shop-gateway"], "nothing opens before");
    let words = message.split_once("annotate the stack with ecommercestack.dev/adopt=").unwrap().1;
    let (word, _) = words.split_once(' ').unwrap();
    for (said, reason) in [("yes", "OtherDatabases"), (word, "Ready")] {
        story.0.api.change(STACK, |stack| stack["metadata"]["annotations"] = json!({"ecommercestack.dev/adopt": said}));
        story.settle().await;
        assert_eq!(story.0.condition("Ready").1, reason, "{said}");
    }
    assert!(story.told("postgres", "order.url").unwrap().contains("@new-rw.team:5432/"));
    assert_eq!(story.0.ledger().databases["order"], "another-order");
}

/// What a pod reads that is still there stays, and goes with it.
#[tokio::test]
async fn what_a_pod_was_told_stays_as_long_as_it_does() {
    let story = OfStory::open(&on_postgres()).await;
    let old = format!("{CORE}/pods/shop-order-of-before");
    let template = story.0.api.get(&format!("{APPS}/deployments/shop-order")).unwrap()["spec"]["template"].clone();
    let mut pod = json!({"metadata": template["metadata"], "spec": template["spec"]});
    pod["metadata"]["name"] = "shop-order-of-before".into();
    story.0.api.put(&old, pod);
    story.write("db-superuser", &moved("new-rw"));
    story.look().await;
    story.look().await;
    story.provision();
    story.settle().await;
    let told = story.all_told("postgres", "order.url");
    assert!(told.len() == 2 && told.iter().any(|url| url.contains("@db-rw.")), "{told:?}");
    assert_eq!(story.all_told("postgres", "product.url").len(), 1);
    story.0.api.remove(&old);
    story.look().await;
    assert_eq!(story.all_told("postgres", "order.url").len(), 1);
}

/// The login that makes others is the Job's alone: the services have their own.
#[tokio::test]
async fn another_password_of_the_provisioner_is_tried_and_rolls_nothing() {
    let story = OfStory::open(&on_both()).await;
    let pods = story.pods();
    story.write("db-superuser", &of_cloud_native_pg("two"));
    story.look().await;
    story.look().await;
    story.provision();
    story.settle().await;
    assert_eq!(story.0.condition("Ready").0, "True");
    assert!(story.pods() == pods);
}

#[tokio::test]
async fn who_takes_the_addresses_away_gets_them_back() {
    let story = OfStory::open(&on_both()).await;
    let (pods, path) = (story.pods(), format!("{CORE}/secrets/shop-rabbitmq-addresses"));
    let before = story.0.api.get(&path).unwrap()["data"].clone();
    story.0.api.remove(&path);
    story.settle().await;
    assert_eq!(story.0.api.get(&path).unwrap()["data"], before);
    assert!(story.pods() == pods);
}

/// The variables of a service's container, and the files that it has.
fn of_pod(pods: &[Value], service: &str) -> (Value, String) {
    let containers = pods.iter().map(|pod| (&pod["template"]["spec"], &pod["template"]["spec"]["containers"][0]));
    let (pod, container) = containers.into_iter().find(|(_, container)| container["name"] == service).unwrap();
    (container["env"].clone(), pod["volumes"].to_string())
}

#[tokio::test]
async fn certificates_reach_the_services_as_a_file_once_they_were_tried() {
    let story = OfStory::open(&on_both()).await;
    let before = story.pods();
    let mut said = of_cloud_native_pg("one");
    said["ca.crt"] = include_str!("../../src/external/authority.pem").into();
    story.write("db-superuser", &said);
    story.look().await;
    story.look().await;
    assert!(story.pods() == before && !story.told("postgres", "order.url").unwrap().contains("sslmode"));
    story.provision();
    story.settle().await;
    assert_eq!(story.0.condition("Ready").0, "True");
    assert!(story.told("postgres", "order.url").unwrap().ends_with("?sslmode=verify-full"));
    let pods = story.pods();
    let (variables, volumes) = of_pod(&pods, "order");
    let file = json!({"name": "DATABASE_CA_FILE", "value": "/etc/ecommerce/postgres/ca.crt"});
    assert!(variables.as_array().unwrap().contains(&file), "{variables}");
    assert!(volumes.contains(r#"[{"key":"ca.crt."#), "the file alone, and no password: {volumes}");
    assert!(!of_pod(&pods, "gateway").1.contains("addresses"));

    // Another authority is a reason to roll, although the file has the same name.
    said["ca.crt"] = format!("{0}{0}", include_str!("../../src/external/authority.pem")).into();
    story.write("db-superuser", &said);
    story.look().await;
    story.look().await;
    story.provision();
    story.settle().await;
    assert!(story.pods() != pods);
}

#[tokio::test]
async fn certificates_of_another_secret_are_waited_for_and_told() {
    let of_postgres = json!({"secretRef": {"name": "db-superuser"}, "certificatesRef": {"name": "db-ca"}});
    let story = OfStory::of(&json!({"postgres": {"external": of_postgres}}));
    story.write("db-superuser", &of_cloud_native_pg("one"));
    story.look().await;
    let (_, reason, message) = story.0.condition("Ready");
    assert!(reason == "StoreSecretInvalid" && message.contains("db-ca"), "{reason}: {message}");
    assert!(story.provisioning().is_empty());
    story.write("db-ca", &json!({"ca.crt": include_str!("../../src/external/authority.pem")}));
    story.look().await;
    story.provision();
    story.settle().await;
    assert_eq!(story.0.condition("Ready").0, "True", "{:?}", story.0.condition("Ready"));
    assert!(story.told("postgres", "order.url").unwrap().ends_with("?sslmode=verify-full"));
    assert!(story.all_told("postgres", "ca.crt").len() == 1);
}

/// What a Deployment shows holds together at each step: whoever has certificates goes to an address that is encrypted, and no other.
#[tokio::test]
async fn certificates_that_are_added_never_go_with_an_address_of_before() {
    let story = OfStory::open(&on_both()).await;
    let mut said = of_cloud_native_pg("one");
    said["ca.crt"] = include_str!("../../src/external/authority.pem").into();
    story.write("db-superuser", &said);
    story.look().await;
    story.look().await;
    story.provision();
    let with_database = ["product", "payment", "order", "auth"];
    let mut steps = 0;
    while steps == 0 || story.0.condition("Ready").0 != "True" {
        story.look().await;
        let pods = story.pods();
        let is_encrypted = with_database.map(|service| {
            let has_certificates = of_pod(&pods, service).0.to_string().contains("DATABASE_CA_FILE");
            let url = story.told_to(service, "DATABASE_URL", "postgres");
            assert_eq!(has_certificates, url.ends_with("?sslmode=verify-full"), "{service}: {url}");
            has_certificates
        });
        steps += usize::from(is_encrypted.contains(&true) && is_encrypted.contains(&false));
        story.0.migrate();
        story.0.serve();
        assert!(steps < 20);
    }
    assert!(steps > 1, "some had them before others");
    story.settle().await;
    assert_eq!(story.all_told("postgres", "order.url").len(), 1, "nobody reads that of before any more");
}

/// It lets in and cannot work, which no try of a login shows.
#[tokio::test]
async fn a_server_with_which_the_services_do_not_start_is_taken_back() {
    let story = OfStory::open(&on_postgres()).await;
    let (pods, url) = (story.pods(), story.told_to("order", "DATABASE_URL", "postgres"));
    let moved = moved("new-rw");
    story.write("db-superuser", &moved);
    story.look().await;
    story.look().await;
    story.provision();
    for _ in 0..3 {
        story.look().await;
        story.0.migrate();
    }
    assert!(story.told_to("product", "DATABASE_URL", "postgres").contains("@new-rw."), "it rolls");
    story.0.api.change(&format!("{APPS}/deployments/shop-product"), |product| {
        product["status"] = json!({
            "observedGeneration": product["metadata"]["generation"], "replicas": 2, "updatedReplicas": 1,
            "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}],
        });
    });
    story.look().await;
    story.0.serve();
    story.look().await;
    assert!(story.pods() == pods, "what was shown before is shown again, to the last annotation");
    assert_eq!(story.told_to("product", "DATABASE_URL", "postgres"), url.replace("order", "product"));
    assert_eq!(story.0.condition("Available").0, "True");
    let (ready, reason, message) = story.0.condition("Ready");
    assert_eq!((ready.as_str(), reason.as_str()), ("False", "UpgradeFailed"), "{message}");

    story.write("db-superuser", &of_cloud_native_pg("one"));
    story.look().await;
    story.look().await;
    story.provision();
    story.settle().await;
    assert_eq!(story.0.condition("Ready").0, "True", "{:?}", story.0.condition("Ready"));
    assert!(story.pods() == pods);
}

#[tokio::test]
async fn logins_that_others_have_made_are_told_with_their_passwords() {
    let spec = json!({
        "postgres": {"external": {"secretRef": {"name": "db"}, "managed": false}},
        "redis": {"external": {"secretRef": {"name": "cache"}}},
    });
    let story = OfStory::of(&spec);
    let uris = ["auth", "product", "order", "payment"].map(|service| {
        (format!("{service}.uri"), Value::from(format!("postgres://{service}:of-{service}@db:5432/{service}")))
    });
    story.write("db", &Value::Object(uris.into_iter().collect()));
    story.write("cache", &json!({"host": "cache", "password": "of-cache"}));
    story.look().await;
    story.provision();
    story.settle().await;
    let (ready, _, message) = story.0.condition("Ready");
    assert_eq!(ready, "True", "{message}");
    assert!(
        message.contains("others run postgres, redis")
            && message.contains("they make the logins at postgres, redis too"),
        "{message}"
    );
    assert_eq!(story.told("postgres", "order.password").unwrap(), "of-order");
    assert_eq!(story.told("redis", "gateway.url").unwrap(), "redis://cache:6379/0");
    assert_eq!(story.told("redis", "gateway.password").unwrap(), "of-cache");
    for secret in ["shop-postgres", "shop-redis"] {
        assert_eq!(story.0.api.get(&format!("{CORE}/secrets/{secret}")), None, "nothing is generated for it");
    }
    let jobs = story.0.api.below(JOBS);
    let migration = jobs.iter().find(|name| name.starts_with("shop-order-migrate-")).unwrap();
    let job = story.0.api.get(&format!("{JOBS}{migration}")).unwrap();
    let variables = job["spec"]["template"]["spec"]["containers"][0]["env"].as_array().unwrap().clone();
    assert!(variables.contains(&json!({"name": "DATABASE_OWNER", "value": "order"})), "{variables:?}");
}

/// The same with a real API server.
impl Walk {
    async fn write(&self, name: &str, said: &Value) {
        let secret = json!({"metadata": {"name": name}, "stringData": said});
        let api = self.api::<Secret>();
        let _ = api.delete(name, &DeleteParams::default()).await;
        api.create(&PostParams::default(), &serde_json::from_value(secret).unwrap()).await.unwrap();
    }
}

#[tokio::test]
async fn a_stack_on_stores_of_others_comes_up_on_a_real_api_server() {
    let walk = Walk::begin(on_both()).await;
    walk.reconcile().await;
    let (ready, message) = walk.condition("Ready").await;
    assert_eq!(ready, "False");
    assert!(message.contains("db-superuser") && message.contains("mq-default-user"), "{message}");
    assert!(walk.names::<Job>().await.is_empty());

    walk.write("db-superuser", &of_cloud_native_pg("one")).await;
    walk.write("mq-default-user", &of_rabbitmq("one")).await;
    walk.to_ready().await;
    assert_eq!(walk.names::<StatefulSet>().await, ["shop-redis"]);
    let names = walk.names::<Service>().await;
    assert!(!names.iter().any(|name| name.ends_with("postgres") || name.ends_with("rabbitmq")), "{names:?}");
    let policies = walk.names::<NetworkPolicy>().await;
    assert!(!policies.contains(&"shop-postgres".to_owned()), "{policies:?}");

    // Rotated, half written and removed: the pods stay as they are.
    let pods = of_deployments(&walk).await;
    walk.write("db-superuser", &of_cloud_native_pg("two")).await;
    walk.to_ready().await;
    walk.write("db-superuser", &json!({"host": "db-rw"})).await;
    walk.reconcile().await;
    let (ready, message) = walk.condition("Ready").await;
    assert!(ready == "False" && message.contains("has no username"), "{message}");
    walk.api::<Secret>().delete("db-superuser", &DeleteParams::default()).await.unwrap();
    walk.reconcile().await;
    let (ready, message) = walk.condition("Ready").await;
    assert!(ready == "False" && message.contains("is not there"), "{message}");
    assert_eq!(of_deployments(&walk).await, pods);

    // A look at what is as it should be writes nothing.
    walk.write("db-superuser", &of_cloud_native_pg("two")).await;
    walk.to_ready().await;
    let before = walk.versions().await;
    walk.reconcile().await;
    assert_eq!(walk.versions().await, before);
}

async fn of_deployments(walk: &Walk) -> Vec<Value> {
    let all = walk.api::<Deployment>().list(&ListParams::default()).await.unwrap();
    all.iter().map(|deployment| serde_json::to_value(&deployment.spec).unwrap()).collect()
}
