//! Provisioning at stores of others: as a login that may make roles and databases and nothing more, beside what is somebody else's there.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use ecommerce_contract::Service;
use ecommerce_testing::{database, redis, unique_name};
use ecommerce_types::Clock;
use operator::crd::{ExternalStore, Keeper, SecretRef};
use operator::credentials::{Credentials, SEAL};
use operator::external::{FINGERPRINT, NEXT, found};
use operator::names::{Backend, Names};
use operator::provision::plan::{External, Plan};
use operator::provision::{Error, Files, USERS, provision};
use operator::resolve::{Embedded, Location};
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, PgConnection};
use uuid::Uuid;

/// A login that is let in with whatever password, where none is asked for.
const PASSWORD: &str = "of the provisioner";

/// A stack whose stores are somebody else's.
struct Stack {
    names: Names,
    plan: Plan,
    directory: PathBuf,
}

impl Stack {
    /// One on a server of PostgreSQL, as its Secret says it.
    fn on_postgres(namespace: &str, said: &[(&str, String)]) -> Self {
        let stack = Self::new(namespace);
        stack.with(Backend::Postgres, None, said)
    }

    fn new(namespace: &str) -> Self {
        let names = Names::new(namespace, "shop");
        let location = Location::embedded(&names, Backend::Postgres, Embedded::default());
        let mut plan = Plan::new(&names, &location);
        plan.databases.truncate(2);
        let directory = std::env::temp_dir().join(format!("operator-{}", unique_name()));
        std::fs::create_dir_all(directory.join("stores").join(USERS)).unwrap();
        for login in plan.databases.iter().flat_map(|database| [&database.migrate, &database.serve]) {
            std::fs::write(directory.join(&login.password), format!("password of {}", login.role)).unwrap();
        }
        std::fs::write(directory.join(SEAL), format!("seal of {namespace}")).unwrap();
        Self { names, plan, directory }
    }

    fn with(mut self, store: Backend, managed: Option<bool>, said: &[(&str, String)]) -> Self {
        let external =
            ExternalStore { secret_ref: SecretRef { name: "theirs".to_owned() }, managed, ..ExternalStore::default() };
        let mut credentials = Credentials::default();
        for (key, value) in said {
            credentials.insert("theirs", key, value.clone());
        }
        let found = found(store, &external, &credentials).unwrap();
        let directory = self.directory.join("stores").join(store.as_str());
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join(NEXT), found.text()).unwrap();
        std::fs::write(directory.join(FINGERPRINT), found.fingerprint("")).unwrap();
        let is_shared = managed.unwrap_or(true) && store != Backend::Redis;
        let keeper = if is_shared { Keeper::Shared } else { Keeper::Others };
        let said = External { store, keeper, secret: "theirs".to_owned(), fingerprint: found.fingerprint("") };
        let others = self.plan.external.iter().filter(|other| other.store != store).cloned();
        let external: Vec<External> = others.chain([said]).collect();
        self.plan = self.plan.clone().with(&self.names, external);
        self
    }

    async fn provision(&self) -> Result<BTreeMap<String, Uuid>, Error> {
        let files = Files {
            credentials: self.directory.clone(),
            stores: self.directory.join("stores"),
            patience: Duration::from_secs(5),
        };
        Box::pin(provision(&self.plan, &files, &Clock::system())).await
    }

    async fn refused(&self) -> String {
        self.provision().await.unwrap_err().to_string()
    }

    fn seal(&self, seal: &str) {
        std::fs::write(self.directory.join(SEAL), seal).unwrap();
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// PostgreSQL as somebody else runs it, and a login there that is no superuser.
struct Postgres {
    options: PgConnectOptions,
    superuser: PgConnection,
    login: String,
}

impl Postgres {
    async fn with_login(attributes: &str) -> Self {
        let options: PgConnectOptions = database::server().parse().unwrap();
        let mut superuser = options.connect().await.unwrap();
        let login = unique_name();
        run(&mut superuser, &format!("CREATE ROLE {login} LOGIN PASSWORD '{PASSWORD}' {attributes}")).await;
        Self { options, superuser, login }
    }

    fn said(&self) -> Vec<(&'static str, String)> {
        vec![
            ("host", self.options.get_host().to_owned()),
            ("port", self.options.get_port().to_string()),
            ("username", self.login.clone()),
            ("password", PASSWORD.to_owned()),
        ]
    }

    async fn count(&mut self, what: &str, like: &str) -> i64 {
        let (table, column) = if what == "role" { ("pg_roles", "rolname") } else { ("pg_database", "datname") };
        let query = format!("SELECT count(*) FROM {table} WHERE {column} LIKE $1");
        sqlx::query_scalar(AssertSqlSafe(query)).bind(like).fetch_one(&mut self.superuser).await.unwrap()
    }

    async fn log_in(&self, role: &str, database: &str) -> PgConnection {
        self.options.clone().username(role).password("any").database(database).connect().await.unwrap()
    }
}

async fn run(server: &mut PgConnection, statement: &str) {
    server.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
}

/// A namespace that is this test's own.
fn namespace() -> String {
    let name = unique_name();
    format!("t{}", &name[name.len() - 12..])
}

#[tokio::test]
async fn a_login_that_may_make_roles_and_databases_is_enough() {
    let postgres = Postgres::with_login("CREATEROLE CREATEDB").await;
    let stack = Stack::on_postgres(&namespace(), &postgres.said());
    let first = stack.provision().await.unwrap();
    assert_eq!(first.keys().collect::<Vec<_>>(), ["auth", "product"]);

    let auth = &stack.plan.databases[0];
    let mut migrate = postgres.log_in(&auth.migrate.role, &auth.name).await;
    run(&mut migrate, &format!("SET ROLE \"{}\"", auth.owner_role)).await;
    run(&mut migrate, "CREATE TABLE users (id bigserial PRIMARY KEY, name text)").await;
    let mut serve = postgres.log_in(&auth.serve.role, &auth.name).await;
    run(&mut serve, "INSERT INTO users (name) VALUES ('ada')").await;
    for statement in
        ["CREATE TABLE mine (id int)", "TRUNCATE users", "SELECT * FROM ecommerce_provisioning.provisioning"]
    {
        let error = serve.execute(statement).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("42501"), "{statement}");
    }
    assert_eq!(stack.provision().await.unwrap(), first, "once more changes nothing");
}

#[tokio::test]
async fn two_stacks_of_one_server_and_one_login_do_not_meet() {
    let postgres = Postgres::with_login("CREATEROLE CREATEDB").await;
    let [one, other] = [namespace(), namespace()].map(|namespace| Stack::on_postgres(&namespace, &postgres.said()));
    let (of_one, of_other) = (one.provision().await.unwrap(), other.provision().await.unwrap());
    assert!(of_one.values().all(|id| !of_other.values().any(|other| other == id)));
    let (serve, theirs) = (&one.plan.databases[0].serve.role, &other.plan.databases[0].name);
    let options = postgres.options.clone().username(serve).password("any").database(theirs);
    let error = options.connect().await.unwrap_err();
    assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("42501"));
}

#[tokio::test]
async fn a_login_without_rights_is_told_what_it_lacks() {
    for (attributes, beginning) in [("", "CREATEROLE"), ("CREATEROLE", "CREATEDB"), ("CREATEDB", "CREATEROLE")] {
        let mut postgres = Postgres::with_login(attributes).await;
        let namespace = namespace();
        let stack = Stack::on_postgres(&namespace, &postgres.said());
        let error = stack.refused().await;
        assert!(error.starts_with("the Secret theirs, which spec.postgres.external.secretRef names: "), "{error}");
        assert!(error.contains("the login of its host, username and password may not make"), "{error}");
        assert!(error.contains(beginning) && error.contains("ALTER ROLE"), "{attributes}: {error}");
        let like = format!("{}%", namespace.replace('-', "_"));
        assert_eq!(postgres.count("database", &like).await, 0);
    }
}

#[tokio::test]
async fn what_has_the_name_and_is_somebody_elses_is_left_as_it_is() {
    let mut postgres = Postgres::with_login("CREATEROLE CREATEDB").await;
    for what in ["role", "database"] {
        let stack = Stack::on_postgres(&namespace(), &postgres.said());
        let product = &stack.plan.databases[1];
        let name = if what == "role" { &product.serve.role } else { &product.name };
        run(&mut postgres.superuser, &format!("CREATE {what} \"{name}\"")).await;
        let error = stack.refused().await;
        assert!(error.contains(&format!("the {what} {name} is there and is not this stack's")), "{error}");
        let like = stack.plan.databases[0].name.replace("_auth", "%");
        assert_eq!(
            (postgres.count("role", &like).await, postgres.count("database", &like).await).0,
            i64::from(what == "role")
        );

        // What the message says makes it ours.
        let claim = error.rsplit_once("say so with ").unwrap().1.to_owned();
        run(&mut postgres.superuser, &claim).await;
        if what == "role" {
            run(&mut postgres.superuser, &format!("GRANT \"{name}\" TO {} WITH ADMIN OPTION", postgres.login)).await;
        } else {
            run(&mut postgres.superuser, &format!("ALTER DATABASE \"{name}\" OWNER TO {}", postgres.login)).await;
        }
        stack.provision().await.unwrap();
    }
}

/// Another cluster may have a stack of the same name in a namespace of the same name.
#[tokio::test]
async fn a_stack_of_the_same_name_elsewhere_is_another() {
    let postgres = Postgres::with_login("CREATEROLE CREATEDB").await;
    let stack = Stack::on_postgres(&namespace(), &postgres.said());
    let ids = stack.provision().await.unwrap();
    let seal = std::fs::read_to_string(stack.directory.join(SEAL)).unwrap();
    stack.seal("of another cluster");
    let error = stack.refused().await;
    assert!(error.contains("is there and is not this stack's, so nothing was changed"), "{error}");
    stack.seal(&seal);
    assert_eq!(stack.provision().await.unwrap(), ids);
}

#[tokio::test]
async fn a_job_that_ended_between_a_database_and_its_mark_is_gone_on_with() {
    let postgres = Postgres::with_login("CREATEROLE CREATEDB").await;
    let stack = Stack::on_postgres(&namespace(), &postgres.said());
    let ids = stack.provision().await.unwrap();
    let mut provisioner = postgres.log_in(&postgres.login, "postgres").await;
    run(&mut provisioner, &format!("COMMENT ON DATABASE \"{}\" IS NULL", stack.plan.databases[1].name)).await;
    assert_eq!(stack.provision().await.unwrap(), ids);
}

#[tokio::test]
async fn a_server_that_does_not_answer_or_does_not_let_in_is_named_with_its_key() {
    let mut postgres = Postgres::with_login("CREATEROLE CREATEDB").await;
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = format!("postgres://root:p@127.0.0.1:{free}/postgres");
    let error = Stack::on_postgres(&namespace(), &[("uri", nobody)]).refused().await;
    assert!(error.contains("the server of its uri does not answer ("), "{error}");

    database::ask_for_password(&mut postgres.superuser, &postgres.login).await;
    let mut said = postgres.said();
    said[3].1 = "another".to_owned();
    let error = Stack::on_postgres(&namespace(), &said).refused().await;
    assert!(error.contains("the login of its host, username and password is not let in ("), "{error}");
}

/// A database for each service on this server, and how each is named in a Secret.
pub(crate) async fn databases_on(superuser: &str, uri: impl Fn(&str) -> String) -> Vec<(&'static str, String)> {
    let mut server = superuser.parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
    let mut said = Vec::new();
    for key in ["auth.uri", "product.uri", "order.uri", "payment.uri"] {
        let database = unique_name();
        // Its log may have little room.
        run(&mut server, &format!("CREATE DATABASE {database} STRATEGY file_copy")).await;
        said.push((key, uri(&database)));
    }
    said
}

/// Logins and databases that somebody else has made, as whom one serves and another migrates.
struct Theirs {
    superuser: PgConnection,
    said: Vec<(&'static str, String)>,
    serves: String,
    migrates: String,
    databases: Vec<String>,
}

impl Theirs {
    async fn create() -> Self {
        let Postgres { options, mut superuser, login: serves } = Postgres::with_login("").await;
        // As an identifier of SQL: a name with a capital is one that has to be quoted.
        let login = format!("M{}", unique_name());
        let migrates = format!("\"{login}\"");
        run(&mut superuser, &format!("CREATE ROLE {migrates} LOGIN")).await;
        let (host, port) = (options.get_host().to_owned(), options.get_port());
        let uri = |login: &str, database: &str| format!("postgres://{login}:p@{host}:{port}/{database}");
        let mut said = databases_on(&database::server(), |database| uri(&serves, database)).await;
        let mut databases = Vec::new();
        for (key, migrate_key) in [
            ("auth.uri", "auth.migrate-uri"),
            ("product.uri", "product.migrate-uri"),
            ("order.uri", "order.migrate-uri"),
            ("payment.uri", "payment.migrate-uri"),
        ] {
            let database = said.iter().find(|(of, _)| *of == key).unwrap().1.rsplit('/').next().unwrap().to_owned();
            said.push((migrate_key, uri(&login, &database)));
            run(&mut superuser, &format!("ALTER DATABASE {database} OWNER TO {migrates}")).await;
            let mut inside = options.clone().database(&database).connect().await.unwrap();
            run(&mut inside, &format!("ALTER SCHEMA public OWNER TO {migrates}")).await;
            let rights = "GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES";
            for rights in [rights, "GRANT USAGE ON SCHEMAS"] {
                run(&mut inside, &format!("ALTER DEFAULT PRIVILEGES FOR ROLE {migrates} {rights} TO {serves}")).await;
            }
            databases.push(database);
        }
        Self { superuser, said, serves, migrates, databases }
    }

    fn stack(&self, namespace: &str) -> Stack {
        Stack::new(namespace).with(Backend::Postgres, Some(false), &self.said)
    }

    async fn inside(&self, database: &str) -> PgConnection {
        database::server().parse::<PgConnectOptions>().unwrap().database(database).connect().await.unwrap()
    }
}

#[tokio::test]
async fn logins_that_somebody_else_has_made_are_tried_and_nothing_is_made() {
    let mut theirs = Theirs::create().await;
    let (namespace, elsewhere) = (namespace(), theirs.said[0].1.clone());
    let ids = theirs.stack(&namespace).provision().await.unwrap();
    assert_eq!(ids.len(), Service::WITH_DATABASE.len());
    assert_eq!(theirs.stack(&namespace).provision().await.unwrap(), ids);
    let like = format!("{}%", namespace.replace('-', "_"));
    let made = "SELECT (SELECT count(*) FROM pg_roles WHERE rolname LIKE $1) + (SELECT count(*) FROM pg_database WHERE datname LIKE $1)";
    let made: i64 = sqlx::query_scalar(made).bind(like).fetch_one(&mut theirs.superuser).await.unwrap();
    assert_eq!(made, 0);
    for database in &theirs.databases {
        let tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
        let tables: i64 = sqlx::query_scalar(tables).fetch_one(&mut theirs.inside(database).await).await.unwrap();
        assert_eq!(tables, 0, "what was made for a try is gone");
    }

    // The same server by another name has the same databases.
    for (_, uri) in &mut theirs.said {
        *uri = uri.replace("127.0.0.1", "localhost");
    }
    assert_ne!(theirs.said[0].1, elsewhere);
    assert_eq!(theirs.stack(&namespace).provision().await.unwrap(), ids);
}

/// It is let in and can not work: said before any pod tries.
#[tokio::test]
async fn what_a_login_may_not_is_seen_before_a_service_is_told_of_it() {
    let mut theirs = Theirs::create().await;
    let (serves, migrates) = (theirs.serves.clone(), theirs.migrates.clone());
    let orders = theirs.databases[2].clone();
    let mut inside = theirs.inside(&orders).await;
    run(&mut inside, &format!("ALTER DEFAULT PRIVILEGES FOR ROLE {migrates} REVOKE DELETE ON TABLES FROM {serves}"))
        .await;
    let error = theirs.stack(&namespace()).refused().await;
    assert!(error.contains("the login of its order.migrate-uri may not give whoever serves its tables"), "{error}");
    run(&mut inside, &format!("ALTER DEFAULT PRIVILEGES FOR ROLE {migrates} GRANT DELETE ON TABLES TO {serves}")).await;

    // What was made before the other login was.
    run(
        &mut inside,
        &format!(
            "CREATE TABLE orders (id int); REVOKE ALL ON orders FROM {serves}; ALTER TABLE orders OWNER TO {migrates}"
        ),
    )
    .await;
    let error = theirs.stack(&namespace()).refused().await;
    assert!(error.contains("the login of its order.migrate-uri may not give whoever serves its tables"), "{error}");
    run(&mut inside, "DROP TABLE orders; REVOKE ALL ON SCHEMA public FROM PUBLIC").await;
    let error = theirs.stack(&namespace()).refused().await;
    assert!(error.contains("the login of its order.migrate-uri may not give whoever serves its tables"), "{error}");
    run(&mut inside, &format!("GRANT USAGE ON SCHEMA public TO {serves}")).await;

    run(&mut inside, "ALTER SCHEMA public OWNER TO CURRENT_USER").await;
    let error = theirs.stack(&namespace()).refused().await;
    assert!(error.contains("the login of its order.migrate-uri may not make a table in its database"), "{error}");
    run(&mut inside, &format!("ALTER SCHEMA public OWNER TO {migrates}")).await;

    run(&mut inside, &format!("ALTER DATABASE {orders} SET default_transaction_read_only = on")).await;
    let error = theirs.stack(&namespace()).refused().await;
    assert!(error.contains("the server of its order.uri takes no writes"), "{error}");
    let mut writes = theirs.inside("postgres").await;
    run(&mut writes, &format!("ALTER DATABASE {orders} RESET default_transaction_read_only")).await;
    theirs.stack(&namespace()).provision().await.unwrap();

    let mut forgotten = Theirs::create().await;
    let elsewhere = theirs.said.iter().filter(|(key, _)| key.ends_with(".migrate-uri")).cloned();
    let serving = forgotten.said.iter().filter(|(key, _)| !key.ends_with(".migrate-uri")).cloned();
    forgotten.said = serving.chain(elsewhere).collect();
    let error = forgotten.stack(&namespace()).refused().await;
    assert!(error.contains("its auth.uri and auth.migrate-uri lead to two databases"), "{error}");

    let of_order = theirs.said.iter().find(|(key, _)| *key == "order.uri").unwrap().1.clone();
    theirs.said.iter_mut().find(|(key, _)| *key == "payment.uri").unwrap().1 = of_order;
    let error = theirs.stack(&namespace()).refused().await;
    assert!(error.contains("its order.uri and payment.uri lead to one database"), "{error}");
}

#[tokio::test]
async fn a_secret_that_changed_after_its_job_was_made_is_not_tried() {
    let postgres = Postgres::with_login("CREATEROLE CREATEDB").await;
    let stack = Stack::on_postgres(&namespace(), &postgres.said());
    std::fs::write(stack.directory.join("stores/postgres").join(FINGERPRINT), "another").unwrap();
    assert_eq!(stack.refused().await, "the Secret of postgres has changed meanwhile");
}

fn variable(name: &str, usual: &str) -> url::Url {
    std::env::var(name).unwrap_or_else(|_| usual.to_owned()).parse().unwrap()
}

fn broker() -> [url::Url; 2] {
    [
        variable("TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:15673"),
        variable("TEST_RABBITMQ_MANAGEMENT_URL", "http://guest:guest@127.0.0.1:15674"),
    ]
}

/// PostgreSQL is there anyway: without it nothing is provisioned.
async fn with_broker(namespace: &str) -> Stack {
    let postgres = Postgres::with_login("CREATEROLE CREATEDB").await;
    let [amqp, management] = broker();
    let said = [("uri", amqp.to_string()), ("management-uri", management.to_string())];
    let stack = Stack::on_postgres(namespace, &postgres.said()).with(Backend::Rabbitmq, None, &said);
    let users = stack.directory.join("stores").join(USERS);
    for service in Service::WITH_BROKER {
        std::fs::write(users.join(service.as_str()), format!("password of {service}")).unwrap();
    }
    std::fs::write(users.join(SEAL), "seal").unwrap();
    stack
}

async fn manage(method: reqwest::Method, path: &str, body: Option<Value>) -> Option<Value> {
    let [_, management] = broker();
    let mut request = reqwest::Client::new().request(method, format!("{management}api/{path}"));
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let answer = request.send().await.unwrap();
    if answer.status().is_success() { Some(answer.json().await.unwrap_or(Value::Null)) } else { None }
}

#[tokio::test]
async fn a_broker_of_others_gets_a_vhost_and_users_and_every_login_is_tried() {
    let stack = with_broker(&namespace()).await;
    for _ in 0..2 {
        stack.provision().await.unwrap();
    }
    let vhost = stack.names.vhost();
    let permissions = manage(reqwest::Method::GET, &format!("vhosts/{vhost}/permissions"), None).await.unwrap();
    // Who makes a vhost may do everything in it.
    let own = permissions.as_array().unwrap().iter().filter(|of| of["user"] != broker()[0].username());
    assert_eq!(own.count(), Service::WITH_BROKER.len());
    let policies = manage(reqwest::Method::GET, &format!("policies/{vhost}"), None).await.unwrap();
    assert_eq!(policies.as_array().unwrap().len(), 2 * Service::WITH_BROKER.len());
    manage(reqwest::Method::DELETE, &format!("vhosts/{vhost}"), None).await;
}

#[tokio::test]
async fn a_vhost_or_a_user_of_somebody_else_is_left_as_it_is() {
    let stack = with_broker(&namespace()).await;
    let (vhost, user) = (stack.names.vhost(), stack.names.user(Service::Order));
    manage(reqwest::Method::PUT, &format!("vhosts/{vhost}"), Some(serde_json::json!({}))).await;
    let error = stack.refused().await;
    assert!(error.contains(&format!("the vhost {vhost} is there and is not this stack's")), "{error}");
    manage(reqwest::Method::DELETE, &format!("vhosts/{vhost}"), None).await;

    let theirs = serde_json::json!({"password": "theirs", "tags": "monitoring"});
    manage(reqwest::Method::PUT, &format!("users/{user}"), Some(theirs)).await;
    let error = stack.refused().await;
    assert!(error.contains(&format!("the user {user} is there and is not this stack's")), "{error}");
    assert_eq!(manage(reqwest::Method::GET, &format!("vhosts/{vhost}"), None).await, None, "nothing was made");
    manage(reqwest::Method::DELETE, &format!("users/{user}"), None).await;
}

#[tokio::test]
async fn a_broker_that_refuses_says_whom_and_in_which_vhost() {
    let [amqp, management] = broker();
    let with = |user: &str, password: &str| {
        let mut address = amqp.clone();
        address.set_username(user).unwrap();
        address.set_password(Some(password)).unwrap();
        address.to_string()
    };
    let theirs = |uri: String| Stack::new(&namespace()).with(Backend::Rabbitmq, Some(false), &[("uri", uri)]);
    let error = theirs(with("guest", "another")).refused().await;
    assert!(error.contains("the login of its uri is not let in (ACCESS_REFUSED"), "{error}");
    let error = theirs(format!("{}/nowhere", with("guest", "guest").trim_end_matches('/'))).refused().await;
    assert!(error.contains("the login of its uri is not let in (NOT_ALLOWED"), "{error}");

    let user = unique_name();
    let body = serde_json::json!({"password": "p", "tags": ""});
    manage(reqwest::Method::PUT, &format!("users/{user}"), Some(body)).await;
    let rights = serde_json::json!({"configure": "^other$", "write": ".*", "read": ".*"});
    manage(reqwest::Method::PUT, &format!("permissions/%2F/{user}"), Some(rights)).await;
    let error = theirs(with(&user, "p")).refused().await;
    assert!(error.contains("the login of its uri may not configure, write and read ecommerce.events"), "{error}");
    assert!(error.contains("ACCESS_REFUSED"), "{error}");
    manage(reqwest::Method::DELETE, &format!("users/{user}"), None).await;

    let said =
        [("uri", with("guest", "another")), ("management-uri", management.to_string().replace("guest:guest@", ""))];
    let stack = Stack::new(&namespace()).with(Backend::Rabbitmq, None, &said);
    for file in Service::WITH_BROKER.map(|service| service.to_string()).into_iter().chain([SEAL.to_owned()]) {
        std::fs::write(stack.directory.join("stores").join(USERS).join(file), "secret").unwrap();
    }
    let error = stack.refused().await;
    assert!(
        error.contains("the login of its management-uri is not let in") && error.contains("administrator"),
        "{error}"
    );
}

#[tokio::test]
async fn a_redis_of_others_is_tried_with_every_login() {
    let postgres = Postgres::with_login("CREATEROLE CREATEDB").await;
    let url = variable("TEST_REDIS_URL", "redis://127.0.0.1:16379");
    let on =
        |said: &[(&str, String)]| Stack::on_postgres(&namespace(), &postgres.said()).with(Backend::Redis, None, said);
    on(&[("uri", url.to_string())]).provision().await.unwrap();
    let mut with_password = url.clone();
    with_password.set_username("gateway").unwrap();
    with_password.set_password(Some("unknown")).unwrap();
    let error = on(&[("uri", url.to_string()), ("gateway.uri", with_password.to_string())]).refused().await;
    assert!(error.contains("the login of its gateway.uri is not let in (WRONGPASS"), "{error}");

    let user = redis::user("p").await;
    let mut without_rights = url.clone();
    without_rights.set_username(&user).unwrap();
    without_rights.set_password(Some("p")).unwrap();
    let error = on(&[("uri", without_rights.to_string())]).refused().await;
    assert!(error.contains("the login of its uri may not write keys that begin with "), "{error}");
    let leader = redis::Server::start().await;
    let follower = redis::Server::start().await;
    follower.follow(&leader).await;
    let error = on(&[("uri", follower.url())]).refused().await;
    assert!(error.contains("the server of its uri takes no writes (READONLY"), "{error}");
    let error = on(&[("uri", format!("{}/9999", url.as_str().trim_end_matches('/')))]).refused().await;
    assert!(error.contains("answers otherwise than expected (ERR DB index is out of range"), "{error}");

    let [amqp, _] = broker();
    let elsewhere = format!("redis://{}:{}", amqp.host_str().unwrap(), amqp.port().unwrap());
    let error = on(&[("uri", elsewhere)]).refused().await;
    assert!(error.contains("of its uri does not answer ("), "{error}");
}
