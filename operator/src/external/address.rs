//! One address of a server: where it is, over what, and who logs in. Pure.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use url::Url;

/// What a part of a URI may hold as it is (RFC 3986, `unreserved`).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// PostgreSQL's own.
    Postgres,
    /// AMQP 0-9-1.
    Amqp,
    /// Redis' own, with the server itself.
    Redis,
    /// The same, with a sentinel first, which says where the server is.
    RedisSentinel,
    /// RabbitMQ's management API.
    Http,
}

/// A password; does not print.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// What it is.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a password")
    }
}

/// Where a server is and who logs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    /// What is spoken.
    pub protocol: Protocol,
    /// Whether over TLS, which is then with a certificate of that host by somebody who is trusted.
    pub tls: bool,
    /// The host's name, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Who logs in; empty: nobody by name.
    pub login: String,
    /// Their password; empty: none.
    pub password: Password,
    /// A database, a vhost or the number of a database; empty: whatever is usual.
    pub path: String,
    /// What else is to be told to the client, in order. Of sentinels alone, whose password may be in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<(String, Password)>,
    /// The keys of the Secret that say so, as a person reads it.
    pub said_by: String,
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// No URI at all, or one without a host.
    #[error("is no address like {0}")]
    NotOne(&'static str),
    /// Something else is spoken there.
    #[error("has another scheme than {0}")]
    Scheme(&'static str),
    /// Keys are spread over servers, and a service changes several at once.
    #[error(
        "names a Redis Cluster, which spreads keys that the services change together: name one server, or its sentinels"
    )]
    Cluster,
    /// The services' client takes one.
    #[error("names several hosts: give it one name that always leads to the server that takes writes")]
    SeveralHosts,
    /// PostgreSQL knows no such mode.
    #[error("has an sslmode that PostgreSQL does not know")]
    SslMode,
    /// A sentinel is asked for a server by its name.
    #[error(
        "names sentinels and no sentinelServiceName: add ?sentinelServiceName=… with the name that they watch the server under"
    )]
    NoServiceName,
}

/// An address that was read from a URI, and whether the URI says that TLS is not to be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The address.
    pub address: Address,
    /// Whether it says that nothing is to be encrypted, rather than nothing of it.
    pub is_plain: bool,
}

impl Protocol {
    /// Where such a server listens that says nothing else.
    #[must_use]
    pub const fn port(self, tls: bool) -> u16 {
        match (self, tls) {
            (Self::Postgres, _) => 5432,
            (Self::Amqp, false) => 5672,
            (Self::Amqp, true) => 5671,
            (Self::Redis, _) => 6379,
            (Self::RedisSentinel, _) => 26379,
            (Self::Http, false) => 15672,
            (Self::Http, true) => 15671,
        }
    }

    const fn scheme(self, tls: bool) -> &'static str {
        match (self, tls) {
            (Self::Postgres, _) => "postgres",
            (Self::Amqp, false) => "amqp",
            (Self::Amqp, true) => "amqps",
            (Self::Redis, false) => "redis",
            (Self::Redis, true) => "rediss",
            (Self::RedisSentinel, false) => "redis-sentinel",
            (Self::RedisSentinel, true) => "rediss-sentinel",
            (Self::Http, false) => "http",
            (Self::Http, true) => "https",
        }
    }

    /// One that is right, to show.
    const fn example(self) -> &'static str {
        match self {
            Self::Postgres => "postgres://login:password@host:5432/database",
            Self::Amqp => "amqps://login:password@host:5671/vhost",
            Self::Redis | Self::RedisSentinel => "rediss://login:password@host:6379/0",
            Self::Http => "https://login:password@host:15671",
        }
    }

    const fn schemes(self) -> &'static str {
        match self {
            Self::Postgres => "postgres or postgresql",
            Self::Amqp => "amqp or amqps",
            Self::Redis | Self::RedisSentinel => "redis, rediss, redis-sentinel or rediss-sentinel",
            Self::Http => "http or https",
        }
    }

    /// What a scheme stands for, where one of this kind is wanted.
    fn of_scheme(self, scheme: &str) -> Option<(Self, bool)> {
        let known = match self {
            Self::Postgres if scheme == "postgresql" => return Some((Self::Postgres, false)),
            Self::Postgres => return (scheme == "postgres").then_some((Self::Postgres, false)),
            Self::Amqp => &[Self::Amqp][..],
            Self::Redis | Self::RedisSentinel => &[Self::Redis, Self::RedisSentinel],
            Self::Http => &[Self::Http],
        };
        let each = known.iter().flat_map(|protocol| [(*protocol, false), (*protocol, true)]);
        each.into_iter().find(|(protocol, tls)| protocol.scheme(*tls) == scheme)
    }
}

impl Address {
    /// Reads a URI that stands under this key.
    ///
    /// # Errors
    /// When it is none, or of another kind of server.
    pub fn parse(wanted: Protocol, key: &str, text: &str) -> Result<Parsed, Malformed> {
        let url = Url::parse(text).map_err(|_| Malformed::NotOne(wanted.example()))?;
        let other = || Malformed::Scheme(wanted.schemes());
        if wanted == Protocol::Redis && url.scheme().ends_with("-cluster") {
            return Err(Malformed::Cluster);
        }
        let (protocol, by_scheme) = wanted.of_scheme(url.scheme()).ok_or_else(other)?;
        let decoded = |text: &str| percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned);
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        if host.contains(',') {
            return Err(Malformed::SeveralHosts);
        }
        let malformed = || Malformed::NotOne(wanted.example());
        if !is_host(host) {
            return Err(malformed());
        }
        let query: Vec<(String, String)> =
            url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        let mode = query.iter().find(|(name, _)| name == "sslmode").map(|(_, mode)| mode.as_str());
        let (tls, is_plain) = match (protocol, mode) {
            (Protocol::Postgres, None | Some("allow" | "prefer")) => (false, false),
            (Protocol::Postgres, Some("disable")) => (false, true),
            // There is no half of it: who encrypts and does not look with whom tells it to whoever stands between.
            (Protocol::Postgres, Some("require" | "verify-ca" | "verify-full")) => (true, false),
            (Protocol::Postgres, Some(_)) => return Err(Malformed::SslMode),
            _ => (by_scheme, !by_scheme),
        };
        let of_sentinel = protocol == Protocol::RedisSentinel;
        if of_sentinel && !query.iter().any(|(name, value)| name == "sentinelServiceName" && !value.is_empty()) {
            return Err(Malformed::NoServiceName);
        }
        let address = Self {
            protocol,
            tls,
            host: host.to_owned(),
            port: url.port_or_known_default().unwrap_or(protocol.port(tls)),
            login: decoded(url.username()).ok_or_else(malformed)?,
            password: decoded(url.password().unwrap_or_default()).ok_or_else(malformed)?.into(),
            path: decoded(url.path().strip_prefix('/').unwrap_or_default()).ok_or_else(malformed)?,
            query: query.into_iter().filter(|_| of_sentinel).map(|(name, value)| (name, value.into())).collect(),
            said_by: key.to_owned(),
        };
        Ok(Parsed { address, is_plain })
    }

    /// As a service is told it: without the password, which stands beside it.
    #[must_use]
    pub fn url(&self) -> String {
        let encoded = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
        let login = if self.login.is_empty() { String::new() } else { format!("{}@", encoded(&self.login)) };
        let mut query: Vec<(&str, &str)> =
            self.query.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        if self.protocol == Protocol::Postgres && self.tls {
            query.push(("sslmode", "verify-full"));
        }
        // A node's port is told from its name by a colon that stands as it is.
        let pair = |(name, value): &(&str, &str)| format!("{name}={}", encoded(value).replace("%3A", ":"));
        let query: Vec<String> = query.iter().map(pair).collect();
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
        format!("{}://{login}{}/{}{query}", self.protocol.scheme(self.tls), self.authority(), encoded(&self.path))
    }

    /// Host and port.
    #[must_use]
    pub fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

/// Whether this names a host, or is an address.
#[must_use]
pub fn is_host(text: &str) -> bool {
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !text.is_empty() && text.bytes().all(is_of_name) || text.parse::<std::net::Ipv6Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_told_again_without_its_password() {
        for (wanted, text, told) in [
            (Protocol::Postgres, "postgresql://app:p%40ss@db-rw.shop:5432/app", "postgres://app@db-rw.shop:5432/app"),
            (Protocol::Postgres, "postgres://a%40b:p@db", "postgres://a%40b@db:5432/"),
            (Protocol::Postgres, "postgres://a:p@[::1]:6000/x", "postgres://a@[::1]:6000/x"),
            (Protocol::Postgres, "postgres://a:p@db/x?sslmode=require", "postgres://a@db:5432/x?sslmode=verify-full"),
            (Protocol::Postgres, "postgres://a:p@db/x?sslmode=prefer&connect_timeout=3", "postgres://a@db:5432/x"),
            (Protocol::Amqp, "amqp://u:p@mq/", "amqp://u@mq:5672/"),
            (Protocol::Amqp, "amqps://u:p@mq/%2Fa", "amqps://u@mq:5671/%2Fa"),
            (Protocol::Redis, "redis://:p@cache", "redis://cache:6379/"),
            (Protocol::Redis, "rediss://u:p@cache:7000/3", "rediss://u@cache:7000/3"),
            (
                Protocol::Redis,
                "redis-sentinel://u:p@one:26379/0?node=two:26379&sentinelServiceName=main",
                "redis-sentinel://u@one:26379/0?node=two:26379&sentinelServiceName=main",
            ),
            (Protocol::Http, "https://u:p@mq", "https://u@mq:443/"),
            (Protocol::Http, "http://u:p@mq:80", "http://u@mq:80/"),
        ] {
            let parsed = Address::parse(wanted, "uri", text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(parsed.address.url(), told, "{text}");
            assert!(!format!("{parsed:?}").contains("p@ss"), "{parsed:?}");
        }
    }

    #[test]
    fn what_is_no_address_of_the_store_is_named() {
        for (wanted, text, why) in [
            (Protocol::Postgres, "db.example.com", "is no address like postgres://"),
            (Protocol::Postgres, "postgres:///app", "is no address like postgres://"),
            (Protocol::Postgres, "mysql://a:p@db/x", "has another scheme than postgres or postgresql"),
            (Protocol::Postgres, "postgres://a:p@one,two/x", "names several hosts"),
            (Protocol::Postgres, "postgres://a:p@db/x?sslmode=on", "has an sslmode that"),
            (Protocol::Amqp, "http://u:p@mq:15672", "has another scheme than amqp or amqps"),
            (Protocol::Redis, "redis-cluster://one:6379", "names a Redis Cluster"),
            (Protocol::Redis, "redis-sentinel://one:26379/0", "names sentinels and no sentinelServiceName"),
            (Protocol::Http, "amqp://u:p@mq", "has another scheme than http or https"),
        ] {
            let error = Address::parse(wanted, "uri", text).expect_err(text);
            assert!(error.to_string().starts_with(why), "{text}: {error}");
        }
    }
}
