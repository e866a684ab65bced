//! A Redis of others: its users are never ours, so every login is tried, also whether it may write, and nothing is made. Spoken is as much of
//! its protocol as that takes (RESP2, <https://redis.io/docs/latest/develop/reference/protocol-spec/>).

use std::fmt::Write as _;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::time::{Instant, timeout_at};

use super::error::Fault;
use super::wire::{Wire, connect, unreachable};
use crate::external::{Access, Address, Found, Protocol};
use crate::names::Names;

/// Longer than any answer that is asked for here, in bytes.
const LONGEST: usize = 4096;

/// Tries every login.
pub(super) async fn try_logins(names: &Names, found: &Found, deadline: Instant) -> Result<(), Fault> {
    let Access::Others { serve, .. } = &found.access else { return Ok(()) };
    let mut tried: Vec<&Address> = Vec::new();
    for address in serve.values() {
        if !tried.contains(&address) {
            try_login(&names.redis_prefix(), found, address, deadline).await?;
            tried.push(address);
        }
    }
    Ok(())
}

async fn try_login(prefix: &str, found: &Found, address: &Address, deadline: Instant) -> Result<(), Fault> {
    let server = match address.protocol {
        Protocol::RedisSentinel => &watched(found, address, deadline).await?,
        Protocol::Redis | Protocol::Postgres | Protocol::Amqp | Protocol::Http => address,
    };
    let mut redis = Redis::to(found, server, deadline).await?;
    redis.log_in(&address.login, address.password.expose()).await?;
    if address.path != "0" {
        redis.ask(&["SELECT", &address.path]).await?.map_err(|why| redis.refused("use its database", why))?;
    }
    let (what, key) = (format!("write keys that begin with {prefix}"), format!("{prefix}try"));
    redis.ask(&["SET", &key, "", "PX", "1"]).await?.map_err(|why| redis.refused(&what, why))?;
    Ok(())
}

/// Where the sentinels say that the server is. The first that answers is asked.
async fn watched(found: &Found, address: &Address, deadline: Instant) -> Result<Address, Fault> {
    let named =
        |name: &'static str| address.query.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.expose());
    let first = |name| named(name).next().unwrap_or_default().to_owned();
    let service = first("sentinelServiceName");
    let (login, password) = (first("sentinelUsername"), first("sentinelPassword").into());
    let mut sentinels = vec![Address { login, password, ..address.clone() }];
    for node in named("node") {
        let (host, port) = node.rsplit_once(':').unwrap_or((node, "26379"));
        let port = port.parse().unwrap_or(Protocol::RedisSentinel.port(address.tls));
        sentinels.push(Address { host: host.to_owned(), port, ..sentinels[0].clone() });
    }
    let mut last = None;
    // Each its share of the time.
    let share = deadline.saturating_duration_since(Instant::now()) / u32::try_from(sentinels.len()).unwrap_or(1);
    for sentinel in &sentinels {
        match master(found, sentinel, &service, Instant::now() + share).await {
            Ok((host, port)) => return Ok(Address { protocol: Protocol::Redis, host, port, ..address.clone() }),
            Err(fault) => last = Some(fault),
        }
    }
    Err(last.unwrap_or_else(|| unreachable(address, "no sentinel is named".to_owned())))
}

async fn master(found: &Found, sentinel: &Address, service: &str, deadline: Instant) -> Result<(String, u16), Fault> {
    let unexpected = |why: String| Fault::Unexpected { key: sentinel.said_by.clone(), why };
    let mut redis = Redis::to(found, sentinel, deadline).await?;
    redis.log_in(&sentinel.login, sentinel.password.expose()).await?;
    let said = redis.ask(&["SENTINEL", "get-master-addr-by-name", service]).await?.map_err(unexpected)?;
    let mut said = said.into_iter();
    match (said.next(), said.next().and_then(|port| port.parse().ok())) {
        (Some(host), Some(port)) => Ok((host, port)),
        _ => Err(unexpected(format!("no server is watched under the name {service}"))),
    }
}

struct Redis<'a> {
    address: &'a Address,
    wire: BufStream<Wire>,
    deadline: Instant,
}

impl<'a> Redis<'a> {
    async fn to(found: &Found, address: &'a Address, deadline: Instant) -> Result<Self, Fault> {
        let wire = BufStream::new(connect(found, address, deadline).await?);
        Ok(Self { address, wire, deadline })
    }

    async fn log_in(&mut self, login: &str, password: &str) -> Result<(), Fault> {
        let words = match (login, password) {
            (_, "") => return Ok(()),
            ("", password) => vec!["AUTH", password],
            (login, password) => vec!["AUTH", login, password],
        };
        let key = self.address.said_by.clone();
        self.ask(&words).await?.map_err(|why| Fault::NotLetIn { key, why })?;
        Ok(())
    }

    /// Why it did not do this, by the word that its answer begins with.
    fn refused(&self, what: &str, why: String) -> Fault {
        let key = self.address.said_by.clone();
        match why.split_whitespace().next() {
            Some("NOAUTH") => Fault::NotLetIn { key, why },
            Some("NOPERM") => Fault::NoRights { key, what: what.to_owned(), why },
            Some("READONLY") => Fault::ReadOnly { key, why },
            _ => Fault::Unexpected { key, why },
        }
    }

    /// The texts of an answer, or what the server refuses with.
    async fn ask(&mut self, words: &[&str]) -> Result<Result<Vec<String>, String>, Fault> {
        let deadline = self.deadline;
        match timeout_at(deadline, self.exchange(words)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(unreachable(self.address, error.to_string())),
            Err(_) => Err(unreachable(self.address, "it says nothing in time".to_owned())),
        }
    }

    async fn exchange(&mut self, words: &[&str]) -> std::io::Result<Result<Vec<String>, String>> {
        let mut request = format!("*{}\r\n", words.len());
        for word in words {
            // Writing to a String does not fail.
            let _ = write!(request, "${}\r\n{word}\r\n", word.len());
        }
        self.wire.write_all(request.as_bytes()).await?;
        self.wire.flush().await?;
        let mut texts = Vec::new();
        let mut awaited = 1;
        while awaited > 0 {
            awaited -= 1;
            let line = self.line().await?;
            let (kind, rest) = line.split_at_checked(1).unwrap_or(("", ""));
            match kind {
                "+" | ":" => texts.push(rest.to_owned()),
                "-" => return Ok(Err(rest.to_owned())),
                "*" => awaited += length(rest)?.unwrap_or_default(),
                "$" => {
                    if let Some(length) = length(rest)? {
                        let mut bytes = vec![0; length + 2];
                        self.wire.read_exact(&mut bytes).await?;
                        bytes.truncate(length);
                        texts.push(String::from_utf8_lossy(&bytes).into_owned());
                    }
                }
                _ => return Err(no_redis()),
            }
        }
        Ok(Ok(texts))
    }

    async fn line(&mut self) -> std::io::Result<String> {
        let mut line = Vec::new();
        let read = (&mut self.wire).take(LONGEST as u64).read_until(b'\n', &mut line).await?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }
}

/// What an answer says of its length; nothing of what is not there.
fn length(text: &str) -> std::io::Result<Option<usize>> {
    if text == "-1" {
        return Ok(None);
    }
    text.parse().ok().filter(|length| *length <= LONGEST).map(Some).ok_or_else(no_redis)
}

fn no_redis() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, "what answers is no Redis")
}
