//! Reads a person's Secret, key by key.

use std::collections::BTreeMap;

use ecommerce_contract::Service;
use ecommerce_tls::Authority;

use super::address::{self, Address, Password, Protocol};
use super::{Access, Fault, Found};
use crate::crd::{ExternalStore, Keeper, SecretRef, StoreKeys};
use crate::credentials::{Credentials, WITH_REDIS};
use crate::names::Backend;

/// What a Secret says of a store.
///
/// # Errors
/// With the first thing that is wrong with it.
pub fn found(store: Backend, external: &ExternalStore, credentials: &Credentials) -> Result<Found, Fault> {
    let secret = &external.secret_ref.name;
    if !credentials.has(secret) {
        return Err(Fault::Missing);
    }
    let keys = Keys::of(external.keys.as_ref());
    let reader = Reader { store, keys, secret, credentials };
    let authorities = match &external.certificates_ref {
        None => reader.authorities()?,
        Some(SecretRef { name }) => {
            let of_certificates = |fault| Fault::OfCertificates { secret: name.clone(), fault: Box::new(fault) };
            Some(reader.authorities_of(name).map_err(of_certificates)?)
        }
    };
    let access = match external.keeper(store) {
        Keeper::Operator | Keeper::Shared => reader.shared(authorities.as_ref())?,
        Keeper::Others => reader.others(authorities.as_ref())?,
    };
    Ok(Found { secret: secret.clone(), authorities: authorities.map(|(_, pem)| pem), access })
}

/// The names that a key may have; the first that is there counts. One that a person has named has to be there: certificates that are
/// missed for a typo would leave a server unasked who it is.
#[derive(Debug, Clone)]
struct KeyNames<'a> {
    names: Vec<&'a str>,
    is_said: bool,
}

/// The keys of a Secret.
#[derive(Debug, Clone)]
struct Keys<'a> {
    host: KeyNames<'a>,
    port: KeyNames<'a>,
    username: KeyNames<'a>,
    password: KeyNames<'a>,
    uri: KeyNames<'a>,
    dbname: KeyNames<'a>,
    certificates: KeyNames<'a>,
    management_uri: KeyNames<'a>,
}

impl<'a> Keys<'a> {
    fn of(said: Option<&'a StoreKeys>) -> Self {
        let key = |of: fn(&StoreKeys) -> &Option<String>, usual: &[&'a str]| {
            let said = said.and_then(|keys| of(keys).as_deref());
            KeyNames { names: said.map_or_else(|| usual.to_vec(), |said| vec![said]), is_said: said.is_some() }
        };
        Self {
            host: key(|keys| &keys.host, &["host"]),
            port: key(|keys| &keys.port, &["port"]),
            username: key(|keys| &keys.username, &["username", "user"]),
            password: key(|keys| &keys.password, &["password"]),
            uri: key(|keys| &keys.uri, &["uri", "connection_string", "fqdn-uri"]),
            dbname: key(|keys| &keys.dbname, &["dbname", "database"]),
            certificates: key(|keys| &keys.certificates, &["certificates", "ca.crt"]),
            management_uri: key(|keys| &keys.management_uri, &["management-uri"]),
        }
    }
}

/// A key, and what stands under it.
type Entry<'a> = (&'a str, &'a str);
/// A key, and the certificates under it.
type Authorities<'a> = (&'a str, String);

struct Reader<'a> {
    store: Backend,
    keys: Keys<'a>,
    secret: &'a str,
    credentials: &'a Credentials,
}

impl<'a> Reader<'a> {
    const fn protocol(&self) -> Protocol {
        match self.store {
            Backend::Postgres => Protocol::Postgres,
            Backend::Rabbitmq => Protocol::Amqp,
            Backend::Redis => Protocol::Redis,
        }
    }

    /// What stands under a key; an empty value is as if it were not there.
    fn entry<'k>(&self, key: &'k str) -> Result<Option<(&'k str, &'a str)>, Fault> {
        let text = self.credentials.get(self.secret, key);
        if text.is_empty() {
            return Ok(None);
        }
        if !self.credentials.is_text(self.secret, key) {
            return Err(Fault::NoText(key.to_owned()));
        }
        Ok(Some((key, text)))
    }

    fn first(&self, key: &KeyNames<'a>) -> Result<Option<Entry<'a>>, Fault> {
        for name in &key.names {
            if let Some(entry) = self.entry(name)? {
                return Ok(Some(entry));
            }
        }
        if key.is_said { Err(Fault::NoKey(key.names.join(" or "))) } else { Ok(None) }
    }

    /// As [`Self::first`], of what has no blanks in it.
    fn word(&self, key: &KeyNames<'a>) -> Result<Option<Entry<'a>>, Fault> {
        let found = self.first(key)?;
        match found {
            Some((key, text)) if text.chars().any(|letter| letter.is_whitespace() || letter.is_control()) => {
                Err(Fault::Blank(key.to_owned()))
            }
            found => Ok(found),
        }
    }

    fn password(&self) -> Result<Option<Entry<'a>>, Fault> {
        match self.first(&self.keys.password)? {
            Some((key, text)) if text.chars().any(char::is_control) => Err(Fault::Blank(key.to_owned())),
            found => Ok(found),
        }
    }

    fn authorities(&self) -> Result<Option<Authorities<'a>>, Fault> {
        let Some((key, pem)) = self.first(&self.keys.certificates)? else { return Ok(None) };
        Authority::from_pem(pem).map_err(|invalid| Fault::NoAuthority { key: key.to_owned(), invalid })?;
        Ok(Some((key, pem.to_owned())))
    }

    /// Those of another Secret, which has to have them.
    fn authorities_of(&self, secret: &'a str) -> Result<Authorities<'a>, Fault> {
        if !self.credentials.has(secret) {
            return Err(Fault::Missing);
        }
        let reader = Reader { secret, keys: self.keys.clone(), ..*self };
        reader.authorities()?.ok_or_else(|| Fault::NoKey(self.keys.certificates.names.join(" or ")))
    }

    fn parse(
        &self,
        protocol: Protocol,
        (key, text): (&str, &str),
        ca: Option<&Authorities<'_>>,
    ) -> Result<Address, Fault> {
        let blank = text.chars().any(|letter| letter.is_whitespace() || letter.is_control());
        if blank {
            return Err(Fault::Blank(key.to_owned()));
        }
        let malformed = |fault| Fault::Malformed { key: key.to_owned(), fault };
        let parsed = Address::parse(protocol, key, text).map_err(malformed)?;
        let mut address = parsed.address;
        match ca {
            // The management API may be in clear text inside a cluster where AMQP is not.
            Some((certificates, _)) if parsed.is_plain && protocol != Protocol::Http => {
                return Err(Fault::AuthoritiesWithoutTls {
                    certificates: (*certificates).to_owned(),
                    uri: key.to_owned(),
                    encrypted: match self.store {
                        Backend::Postgres => "sslmode=verify-full",
                        Backend::Rabbitmq => "amqps",
                        Backend::Redis => "rediss",
                    },
                });
            }
            Some(_) if !parsed.is_plain => address.tls = true,
            _ => {}
        }
        Ok(address)
    }

    /// The address that the Secret gives as a whole, from a URI, its parts, or both.
    fn base(&self, ca: Option<&Authorities<'_>>) -> Result<Address, Fault> {
        let host = self.word(&self.keys.host)?;
        let port = self.word(&self.keys.port)?;
        let username = self.word(&self.keys.username)?;
        let password = self.password()?;
        let dbname = self.word(&self.keys.dbname)?.filter(|_| self.store == Backend::Postgres);
        if let Some((key, _)) = host.filter(|(_, host)| !address::is_host(host)) {
            return Err(Fault::Host(key.to_owned()));
        }
        let number = |(key, text): Entry<'_>| match text.parse::<u16>() {
            Ok(port) if port > 0 => Ok(port),
            _ => Err(Fault::Port(key.to_owned())),
        };
        let said_port = port.map(number).transpose()?;
        // RabbitMQ's topology operator writes the management's address there.
        let is_of_management = |(_, text): &Entry<'_>| self.store == Backend::Rabbitmq && text.starts_with("http");
        let uri = self.first(&self.keys.uri)?.filter(|entry| !is_of_management(entry));
        let mut address = match (uri, host) {
            (Some(uri), _) => self.parse(self.protocol(), uri, ca)?,
            (None, Some((key, host))) => {
                let protocol = self.protocol();
                let by_port = protocol == Protocol::Amqp && said_port == Some(protocol.port(true));
                let tls = ca.is_some() || by_port;
                Address {
                    protocol,
                    tls,
                    host: host.to_owned(),
                    port: said_port.unwrap_or(protocol.port(tls)),
                    login: String::new(),
                    password: Password::default(),
                    path: String::new(),
                    query: Vec::new(),
                    said_by: key.to_owned(),
                }
            }
            (None, None) => {
                return Err(Fault::NoKey(format!("{} or {}", self.keys.host.names[0], self.keys.uri.names[0])));
            }
        };
        if let Some((uri, _)) = uri {
            let is_sentinel = address.protocol == Protocol::RedisSentinel;
            let differ = [
                ("host", host, !is_sentinel && host.is_some_and(|(_, host)| !is_same_host(host, &address.host))),
                ("port", port, !is_sentinel && said_port.is_some_and(|port| port != address.port)),
                ("login", username, differs(username, &address.login)),
                ("password", password, differs(password, address.password.expose())),
                ("database", dbname, differs(dbname, &address.path)),
            ];
            if let Some((of, Some((other, _)), _)) = differ.into_iter().find(|(_, _, differs)| *differs) {
                return Err(Fault::Contradiction { of, one: uri.to_owned(), other: other.to_owned() });
            }
        }
        let or = |known: &str, said: Option<Entry<'_>>| {
            if known.is_empty() { said.map(|(_, text)| text.to_owned()).unwrap_or_default() } else { known.to_owned() }
        };
        let is_in_parts = address.login.is_empty() || address.password.expose().is_empty();
        address.login = or(&address.login, username);
        address.password = or(address.password.expose(), password).into();
        address.path = or(&address.path, dbname);
        if is_in_parts && let (Some((login, _)), Some((password, _))) = (username, password) {
            address.said_by = format!("{}, {login} and {password}", address.said_by);
        }
        Ok(address)
    }

    /// A login that others log in as well has to have both.
    fn with_login(&self, address: Address) -> Result<Address, Fault> {
        let of_uri = |part: &str| Fault::NoKey(part.to_owned());
        if self.store == Backend::Redis {
            return Ok(address);
        }
        if address.login.is_empty() {
            return Err(of_uri(self.keys.username.names[0]));
        }
        if address.password.expose().is_empty() {
            return Err(of_uri(self.keys.password.names[0]));
        }
        Ok(address)
    }

    fn shared(&self, ca: Option<&Authorities<'_>>) -> Result<Access, Fault> {
        let mut server = self.with_login(self.base(ca)?)?;
        let management = match self.store {
            Backend::Rabbitmq => Some(self.management(&server, ca)?),
            Backend::Postgres | Backend::Redis => None,
        };
        // CloudNativePG's superuser has no database of its own and a star there; of RabbitMQ the vhost is ours.
        server.path = match (self.store, server.path.as_str()) {
            (Backend::Postgres, "" | "*") => "postgres".to_owned(),
            (Backend::Rabbitmq, _) => String::new(),
            (Backend::Postgres | Backend::Redis, path) => path.to_owned(),
        };
        Ok(Access::Shared { server: Box::new(server), management: management.map(Box::new) })
    }

    fn management(&self, server: &Address, ca: Option<&Authorities<'_>>) -> Result<Address, Fault> {
        let is_http = |(_, text): &Entry<'_>| text.starts_with("http");
        let said = match self.first(&self.keys.management_uri)? {
            Some(said) => Some(said),
            None => self.first(&self.keys.uri)?.filter(is_http),
        };
        let mut management = match said {
            Some(said) => self.parse(Protocol::Http, said, ca)?,
            None => Address { protocol: Protocol::Http, port: Protocol::Http.port(server.tls), ..server.clone() },
        };
        if management.login.is_empty() {
            management.login.clone_from(&server.login);
        }
        if management.password.expose().is_empty() {
            management.password = server.password.clone();
        }
        Ok(management)
    }

    fn others(&self, ca: Option<&Authorities<'_>>) -> Result<Access, Fault> {
        let services = match self.store {
            Backend::Postgres => Service::WITH_DATABASE.to_vec(),
            Backend::Rabbitmq => Service::WITH_BROKER.to_vec(),
            Backend::Redis => WITH_REDIS.to_vec(),
        };
        let (mut serve, mut migrate) = (BTreeMap::new(), BTreeMap::new());
        for service in services {
            let key = format!("{service}.uri");
            let address = match self.entry(&key)? {
                Some(entry) => self.parse(self.protocol(), entry, ca)?,
                // One database for all would be one outbox for all.
                None if self.store == Backend::Postgres => return Err(Fault::NoKey(key)),
                None => self.base(ca)?,
            };
            let address = self.whole(address, &key)?;
            if self.store == Backend::Postgres {
                let key = format!("{service}.migrate-uri");
                let migrating = match self.entry(&key)? {
                    Some(entry) => self.whole(self.parse(self.protocol(), entry, ca)?, &key)?,
                    None => address.clone(),
                };
                let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
                if !migrating.login.bytes().all(is_name) {
                    return Err(Fault::Owner(migrating.said_by));
                }
                migrate.insert(service.to_string(), migrating);
            }
            serve.insert(service.to_string(), address);
        }
        let all = || serve.values().chain(migrate.values());
        let tls = all().next().is_some_and(|address: &Address| address.tls);
        if let Some(other) = all().find(|address| address.tls != tls) {
            return Err(Fault::Mixed(other.said_by.clone()));
        }
        Ok(Access::Others { serve, migrate })
    }

    /// An address that a service works with as it is.
    fn whole(&self, mut address: Address, key: &str) -> Result<Address, Fault> {
        match self.store {
            Backend::Postgres if address.path.is_empty() => return Err(Fault::NoDatabase(key.to_owned())),
            // The vhost that is there from the beginning is called so.
            Backend::Rabbitmq if address.path.is_empty() => "/".clone_into(&mut address.path),
            Backend::Redis if address.path.is_empty() => "0".clone_into(&mut address.path),
            Backend::Postgres | Backend::Rabbitmq | Backend::Redis => {}
        }
        self.with_login(address)
    }
}

fn differs(said: Option<Entry<'_>>, known: &str) -> bool {
    said.is_some_and(|(_, said)| !known.is_empty() && said != known)
}

/// Inside a cluster a Service is called by its first label, and by all of them.
fn is_same_host(one: &str, other: &str) -> bool {
    let begins = |long: &str, short: &str| long.strip_prefix(short).is_some_and(|rest| rest.starts_with('.'));
    one.eq_ignore_ascii_case(other) || begins(one, other) || begins(other, one)
}
