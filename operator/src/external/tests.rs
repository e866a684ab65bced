use super::*;
use crate::crd::{ExternalStore, SecretRef, StoreKeys};

/// An authority that signs nothing, made by `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=authority`.
const AUTHORITY: &str = include_str!("authority.pem");

type Said<'a> = &'a [(&'a str, &'a str)];

/// As CloudNativePG 1.30 writes `<cluster>-superuser`.
const OF_CLOUD_NATIVE_PG: Said<'static> = &[
    ("username", "postgres"),
    ("user", "postgres"),
    ("password", "of/db"),
    ("dbname", "*"),
    ("host", "db-rw"),
    ("port", "5432"),
    ("pgpass", "db-rw:5432:*:postgres:of/db\n"),
    ("uri", "postgresql://postgres:of%2Fdb@db-rw.team:5432/*"),
    ("jdbc-uri", "jdbc:postgresql://db-rw.team:5432/*?password=of%2Fdb&user=postgres"),
    ("fqdn-uri", "postgresql://postgres:of%2Fdb@db-rw.team.svc.cluster.local:5432/*"),
];

/// As RabbitMQ's cluster operator writes `<cluster>-default-user`.
const OF_RABBITMQ: Said<'static> = &[
    ("username", "default_user_x"),
    ("password", "of-mq"),
    ("provider", "rabbitmq"),
    ("type", "rabbitmq"),
    ("host", "mq.team.svc"),
    ("port", "5672"),
    ("default_user.conf", "default_user = default_user_x\ndefault_pass = of-mq\n"),
    ("connection_string", "amqp://default_user_x:of-mq@mq.team.svc:5672/"),
];

fn external(keys: Option<StoreKeys>, managed: Option<bool>) -> ExternalStore {
    ExternalStore { secret_ref: SecretRef { name: "theirs".to_owned() }, keys, managed, ..ExternalStore::default() }
}

fn read(store: Backend, external: &ExternalStore, said: Said<'_>) -> Result<Found, Fault> {
    let mut credentials = Credentials::default();
    credentials.saw("theirs");
    for (key, value) in said {
        credentials.insert("theirs", key, (*value).to_owned());
    }
    found(store, external, &credentials)
}

fn shared(store: Backend, said: Said<'_>) -> Result<Found, Fault> {
    read(store, &external(None, None), said)
}

fn server(found: Found) -> (Address, Option<Address>) {
    let Access::Shared { server, management } = found.access else { panic!("{:?}", found.access) };
    (*server, management.map(|management| *management))
}

#[test]
fn what_the_operators_of_others_write_is_read_as_it_is() {
    let (postgres, _) = server(shared(Backend::Postgres, OF_CLOUD_NATIVE_PG).unwrap());
    assert_eq!(postgres.url(), "postgres://postgres@db-rw.team:5432/postgres");
    assert_eq!(postgres.password.expose(), "of/db");

    let (rabbitmq, management) = server(shared(Backend::Rabbitmq, OF_RABBITMQ).unwrap());
    assert_eq!(
        (rabbitmq.url().as_str(), rabbitmq.password.expose()),
        ("amqp://default_user_x@mq.team.svc:5672/", "of-mq")
    );
    assert_eq!(management.unwrap().url(), "http://default_user_x@mq.team.svc:15672/");

    // Its Secret of a cluster with TLS has the port and no URI.
    let encrypted = [&OF_RABBITMQ[..5], &[("port", "5671")]].concat();
    let (rabbitmq, management) = server(shared(Backend::Rabbitmq, &encrypted).unwrap());
    assert_eq!(rabbitmq.url(), "amqps://default_user_x@mq.team.svc:5671/");
    assert_eq!(management.unwrap().url(), "https://default_user_x@mq.team.svc:15671/");
}

#[test]
fn parts_a_whole_and_names_of_ones_own_say_the_same() {
    let keys = StoreKeys {
        host: Some("endpoint".to_owned()),
        username: Some("master".to_owned()),
        password: Some("secret".to_owned()),
        certificates: Some("bundle".to_owned()),
        ..StoreKeys::default()
    };
    let by_keys = [("endpoint", "db.example.com"), ("master", "root"), ("secret", "p"), ("bundle", AUTHORITY)];
    let whole = "postgres://root:p@db.example.com?sslmode=verify-full";
    let parts = [("host", "db.example.com"), ("user", "root"), ("password", "p"), ("ca.crt", AUTHORITY)];
    for (found, has_authorities) in [
        (read(Backend::Postgres, &external(Some(keys), None), &by_keys), true),
        (shared(Backend::Postgres, &[("uri", whole)]), false),
        (shared(Backend::Postgres, &parts), true),
        (shared(Backend::Postgres, &[("uri", "postgres://root:p@db.example.com"), ("certificates", AUTHORITY)]), true),
        (shared(Backend::Postgres, &[("uri", "postgres://db.example.com?sslmode=require"), parts[1], parts[2]]), false),
    ] {
        let found = found.unwrap();
        assert_eq!(found.authorities.is_some(), has_authorities, "{found:?}");
        let (server, _) = server(found);
        assert_eq!(server.url(), "postgres://root@db.example.com:5432/postgres?sslmode=verify-full");
        assert_eq!(server.password.expose(), "p");
    }
}

#[test]
fn what_is_not_right_is_named_with_its_key() {
    use Backend::{Postgres, Rabbitmq, Redis};
    let uri = ("uri", "postgres://root:p@db");
    let cases: &[(Backend, Said<'_>, &str)] = &[
        (Postgres, &[], "has no host or uri"),
        (Postgres, &[("host", "db"), ("username", "root")], "has no password"),
        (Postgres, &[("host", "db"), ("password", "p")], "has no username"),
        (Postgres, &[("uri", "postgres://root@db")], "has no password"),
        (Postgres, &[uri, ("host", "other")], "says one host in uri and another in host"),
        (Postgres, &[uri, ("port", "5433")], "says one port in uri and another in port"),
        (Postgres, &[uri, ("user", "eve")], "says one login in uri and another in user"),
        (Postgres, &[uri, ("password", "q")], "says one password in uri and another in password"),
        (
            Postgres,
            &[("uri", "postgres://root:p@db/x"), ("dbname", "y")],
            "says one database in uri and another in dbname",
        ),
        (Postgres, &[("uri", "mysql://root:p@db")], "has a uri that has another scheme than postgres"),
        (Postgres, &[("uri", "postgres://root:p@db\n")], "has a line break or a blank in its uri"),
        (
            Postgres,
            &[("host", "db\n"), ("username", "root"), ("password", "p")],
            "has a line break or a blank in its host",
        ),
        (
            Postgres,
            &[("host", "db"), ("username", "root"), ("password", "p\n")],
            "has a line break or a blank in its password",
        ),
        (
            Postgres,
            &[("host", "https://db"), ("username", "root"), ("password", "p")],
            "has a host that is no host's name",
        ),
        (
            Postgres,
            &[("host", "db"), ("port", "x"), ("username", "root"), ("password", "p")],
            "has a port that is no number",
        ),
        (Postgres, &[uri, ("certificates", "secret")], "has a certificates that is not PEM"),
        (
            Postgres,
            &[("uri", "postgres://root:p@db?sslmode=disable"), ("ca.crt", AUTHORITY)],
            "has certificates in ca.crt and a uri that uses none: let it say sslmode=verify-full",
        ),
        (
            Rabbitmq,
            &[("uri", "amqp://u:p@mq"), ("certificates", AUTHORITY)],
            "has certificates in certificates and a uri that uses none: let it say amqps",
        ),
        (Rabbitmq, &[("uri", "http://u:p@mq:15672")], "has no host or uri"),
        (Rabbitmq, &[("uri", "amqp://u:p@mq"), ("management-uri", "mq:15672")], "has a management-uri that"),
        (Redis, &[("uri", "redis-cluster://one")], "has a uri that names a Redis Cluster"),
        (
            Redis,
            &[("uri", "redis://:p@one"), ("certificates", AUTHORITY)],
            "has certificates in certificates and a uri that uses none: let it say rediss",
        ),
    ];
    for (store, said, why) in cases {
        let fault = shared(*store, said).expect_err(why).to_string();
        assert!(fault.starts_with(why), "{said:?}: {fault}");
    }
}

#[test]
fn a_secret_that_is_not_there_is_told_from_one_that_says_nothing() {
    let nothing = found(Backend::Postgres, &external(None, None), &Credentials::default());
    assert_eq!(nothing, Err(Fault::Missing));
    let mut credentials = Credentials::default();
    credentials.read("theirs", "uri", b"postgres://\xff");
    let no_text = found(Backend::Postgres, &external(None, None), &credentials);
    assert_eq!(no_text, Err(Fault::NoText("uri".to_owned())));
}

#[test]
fn a_key_that_was_given_a_name_is_looked_for_under_it_alone() {
    let keys = StoreKeys { password: Some("secret".to_owned()), ..StoreKeys::default() };
    let said = [("host", "db"), ("username", "root"), ("password", "p")];
    let fault = read(Backend::Postgres, &external(Some(keys), None), &said);
    assert_eq!(fault, Err(Fault::NoKey("secret".to_owned())));
    let keys = StoreKeys { certificates: Some("bundle".to_owned()), ..StoreKeys::default() };
    let said = [said.as_slice(), &[("certificates", AUTHORITY)]].concat();
    let fault = read(Backend::Postgres, &external(Some(keys), None), &said);
    assert_eq!(fault, Err(Fault::NoKey("bundle".to_owned())));
}

#[test]
fn logins_that_others_have_made_stand_one_by_one_or_are_one_for_all() {
    let theirs = external(None, Some(false));
    let uris = [
        ("auth.uri", "postgres://auth:p@db/auth"),
        ("auth.migrate-uri", "postgres://auth_owner:q@db/auth"),
        ("product.uri", "postgres://product:p@db/product"),
        ("order.uri", "postgres://orders:p@db/orders"),
        ("payment.uri", "postgres://payment:p@db/payment"),
    ];
    let Access::Others { serve, migrate } = read(Backend::Postgres, &theirs, &uris).unwrap().access else { panic!() };
    assert_eq!(serve["order"].url(), "postgres://orders@db:5432/orders");
    assert_eq!(migrate["auth"].login, "auth_owner");
    assert_eq!(migrate["order"], serve["order"], "who serves migrates as well");

    let one = [("uri", "amqps://shop:p@mq/shop")];
    let Access::Others { serve, migrate } = read(Backend::Rabbitmq, &theirs, &one).unwrap().access else { panic!() };
    assert!(serve.values().all(|address| address.url() == "amqps://shop@mq:5671/shop") && serve.len() == 3);
    assert!(migrate.is_empty());

    let sentinels =
        [("uri", "redis-sentinel://:p@one/?sentinelServiceName=main"), ("gateway.uri", "redis://g:p@other")];
    let Access::Others { serve, .. } = read(Backend::Redis, &external(None, None), &sentinels).unwrap().access else {
        panic!()
    };
    assert_eq!(serve["auth"].url(), "redis-sentinel://one:26379/0?sentinelServiceName=main");
    assert_eq!(serve["gateway"].url(), "redis://g@other:6379/0");
}

/// As CloudNativePG has them: `<cluster>-ca` is beside the Secrets of logins, and has no more than a reader of it is to know.
#[test]
fn certificates_may_stand_in_a_secret_of_their_own_and_then_have_to() {
    let mut external = external(None, None);
    external.certificates_ref = Some(SecretRef { name: "db-ca".to_owned() });
    let mut credentials = Credentials::default();
    for (key, value) in OF_CLOUD_NATIVE_PG {
        credentials.insert("theirs", key, (*value).to_owned());
    }
    let read = |credentials: &Credentials| found(Backend::Postgres, &external, credentials);
    let why = |credentials: &Credentials| read(credentials).unwrap_err().to_string();
    let begins = "goes with the Secret db-ca (external.certificatesRef), which ";
    assert_eq!(why(&credentials), format!("{begins}is not there"));
    credentials.saw("db-ca");
    assert!(why(&credentials).starts_with(&format!("{begins}has no certificates or ca.crt")));
    credentials.insert("db-ca", "ca.crt", "none".to_owned());
    assert!(why(&credentials).starts_with(&format!("{begins}has a ca.crt that ")));
    credentials.insert("db-ca", "ca.crt", AUTHORITY.to_owned());
    let found = read(&credentials).unwrap();
    assert_eq!(found.authorities.as_deref(), Some(AUTHORITY));
    assert_eq!(server(found).0.url(), "postgres://postgres@db-rw.team:5432/postgres?sslmode=verify-full");
}

#[test]
fn logins_of_others_that_a_service_could_not_work_with_are_named() {
    let theirs = external(None, Some(false));
    for (said, why) in [
        (&[("uri", "postgres://shop:p@db/shop")][..], "has no auth.uri"),
        (&[("auth.uri", "postgres://auth:p@db")], "has a auth.uri that names no database"),
        (&[("auth.uri", "postgres://auth-1:p@db/auth")], "has a auth.uri whose login migrations can not act as"),
    ] {
        let fault = read(Backend::Postgres, &theirs, said).expect_err(why).to_string();
        assert!(fault.starts_with(why), "{said:?}: {fault}");
    }
    let mixed = [("uri", "redis://:p@one"), ("product.uri", "rediss://:p@one")];
    let fault = read(Backend::Redis, &external(None, None), &mixed).unwrap_err().to_string();
    assert!(fault.starts_with("has addresses with TLS and without it"), "{fault}");
}

#[test]
fn what_is_kept_is_read_again_and_another_password_is_another_fingerprint() {
    let one = shared(Backend::Postgres, OF_CLOUD_NATIVE_PG).unwrap();
    assert_eq!(Found::read(&one.text()).as_ref(), Some(&one));
    let rotated: Vec<_> = OF_CLOUD_NATIVE_PG
        .iter()
        .map(|(key, value)| (*key, if *value == "of/db" { "new" } else { value }))
        .filter(|(key, _)| !key.contains("uri"))
        .collect();
    let other = shared(Backend::Postgres, &rotated).unwrap();
    assert_ne!(one.fingerprint("salt"), other.fingerprint("salt"));
    assert_ne!(one.fingerprint("salt"), one.fingerprint("pepper"));
}
