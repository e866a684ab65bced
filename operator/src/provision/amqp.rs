//! A login at a RabbitMQ, tried: as much of AMQP 0-9-1 as it takes to be let into a vhost and to declare an exchange there
//! (<https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf>, 2.2.4 and 4.2).

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout_at};

use super::error::Fault;
use super::wire::{Wire, connect, unreachable};
use crate::external::{Address, Found};

const METHOD_FRAME: u8 = 1;
const FRAME_END: u8 = 0xCE;
/// A method by its class and its number there.
type Kind = (u16, u16);
const START: Kind = (10, 10);
const START_OK: Kind = (10, 11);
const TUNE: Kind = (10, 30);
const TUNE_OK: Kind = (10, 31);
const OPEN: Kind = (10, 40);
const OPEN_OK: Kind = (10, 41);
const CLOSE: Kind = (10, 50);
const CHANNEL_OPEN: Kind = (20, 10);
const CHANNEL_OPEN_OK: Kind = (20, 11);
const CHANNEL_CLOSE: Kind = (20, 40);
const DECLARE_EXCHANGE: Kind = (40, 10);
const DECLARE_EXCHANGE_OK: Kind = (40, 11);
/// The channel of what is said of the connection itself.
const OF_CONNECTION: u16 = 0;
/// The one that is opened here.
const OPENED: u16 = 1;
/// Among what is asked of an exchange: that it outlives the broker.
const DURABLE: u8 = 0b10;
/// Longer than anything that is said before a connection is open, in bytes.
const LONGEST: u32 = 128 * 1024;

/// How far a login comes.
enum Came {
    /// As far as it was to.
    Through,
    /// Not into the vhost, as the broker says.
    NotIn(String),
    /// It may not declare the exchange, as the broker says.
    NoFurther(String),
}

/// Tries whether this password opens the vhost, and where an exchange is named, whether it may be declared there as every service does when
/// it connects.
pub(super) async fn try_login(
    found: &Found,
    address: &Address,
    password: &str,
    exchange: Option<&str>,
    deadline: Instant,
) -> Result<(), Fault> {
    let mut wire = connect(found, address, deadline).await?;
    let key = address.said_by.clone();
    match timeout_at(deadline, log_in(&mut wire, address, password, exchange)).await {
        Ok(Ok(Came::Through)) => Ok(()),
        Ok(Ok(Came::NotIn(why))) => Err(Fault::NotLetIn { key, why }),
        Ok(Ok(Came::NoFurther(why))) => {
            let what = format!("configure, write and read {} in its vhost", exchange.unwrap_or_default());
            Err(Fault::NoRights { key, what, why })
        }
        Ok(Err(error)) => Err(unreachable(address, error.to_string())),
        Err(_) => Err(unreachable(address, "it says nothing in time".to_owned())),
    }
}

async fn log_in(wire: &mut Wire, address: &Address, password: &str, exchange: Option<&str>) -> std::io::Result<Came> {
    wire.write_all(b"AMQP\0\0\x09\x01").await?;
    expect(START, &read_method(wire).await?)?;

    let mut start_ok = Vec::new();
    // Asked to, the broker says why it refuses before it closes.
    let capability = [short("authentication_failure_close"), vec![b't', 1]].concat();
    let capabilities = [short("capabilities"), vec![b'F'], long(&capability)].concat();
    start_ok.extend(long(&capabilities));
    start_ok.extend(short("PLAIN"));
    start_ok.extend(long(format!("\0{}\0{password}", address.login).as_bytes()));
    start_ok.extend(short("en_US"));
    write_method(wire, OF_CONNECTION, START_OK, &start_ok).await?;
    let tune = read_method(wire).await?;
    if let Some(why) = said_at(CLOSE, &tune) {
        return Ok(Came::NotIn(why));
    }
    expect(TUNE, &tune)?;

    // One channel, frames as they come, no heartbeat: it is over in a moment.
    write_method(wire, OF_CONNECTION, TUNE_OK, &[0, 1, 0, 0, 0x20, 0, 0, 0]).await?;
    write_method(wire, OF_CONNECTION, OPEN, &[short(&address.path), vec![0, 0]].concat()).await?;
    let open = read_method(wire).await?;
    if let Some(why) = said_at(CLOSE, &open) {
        return Ok(Came::NotIn(why));
    }
    expect(OPEN_OK, &open)?;

    if let Some(exchange) = exchange {
        write_method(wire, OPENED, CHANNEL_OPEN, &short("")).await?;
        expect(CHANNEL_OPEN_OK, &read_method(wire).await?)?;
        let as_services_do = [vec![0, 0], short(exchange), short("topic"), vec![DURABLE, 0, 0, 0, 0]].concat();
        write_method(wire, OPENED, DECLARE_EXCHANGE, &as_services_do).await?;
        let declared = read_method(wire).await?;
        if let Some(why) = said_at(CHANNEL_CLOSE, &declared) {
            return Ok(Came::NoFurther(why));
        }
        expect(DECLARE_EXCHANGE_OK, &declared)?;
    }
    write_method(wire, OF_CONNECTION, CLOSE, &[vec![0, 200], short("tried"), vec![0, 0, 0, 0]].concat()).await?;
    Ok(Came::Through)
}

struct Method {
    kind: Kind,
    arguments: Vec<u8>,
}

fn expect(wanted: Kind, method: &Method) -> std::io::Result<()> {
    if method.kind == wanted { Ok(()) } else { Err(no_broker()) }
}

/// The text with which a connection or a channel is closed: after the code of the reply.
fn said_at(close: Kind, method: &Method) -> Option<String> {
    let text = method.arguments.get(2..).filter(|_| method.kind == close)?;
    let (length, text) = text.split_first()?;
    Some(String::from_utf8_lossy(text.get(..usize::from(*length))?).into_owned())
}

async fn read_method(wire: &mut Wire) -> std::io::Result<Method> {
    let frame = wire.read_u8().await?;
    let _channel = wire.read_u16().await?;
    let length = wire.read_u32().await?;
    if frame != METHOD_FRAME || !(4..=LONGEST).contains(&length) {
        return Err(no_broker());
    }
    let kind = (wire.read_u16().await?, wire.read_u16().await?);
    let mut arguments = vec![0; length as usize - 4];
    wire.read_exact(&mut arguments).await?;
    if wire.read_u8().await? != FRAME_END {
        return Err(no_broker());
    }
    Ok(Method { kind, arguments })
}

async fn write_method(wire: &mut Wire, channel: u16, (class, number): Kind, arguments: &[u8]) -> std::io::Result<()> {
    let method = [&class.to_be_bytes(), &number.to_be_bytes(), arguments].concat();
    let frame = [&[METHOD_FRAME][..], &channel.to_be_bytes(), &long(&method), &[FRAME_END]].concat();
    wire.write_all(&frame).await?;
    wire.flush().await
}

/// A text behind its length in one byte; names and vhosts are no longer.
fn short(text: &str) -> Vec<u8> {
    let bytes = &text.as_bytes()[..text.len().min(255)];
    [&[u8::try_from(bytes.len()).unwrap_or(u8::MAX)], bytes].concat()
}

/// Bytes behind their length in four.
fn long(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes(), bytes].concat()
}

fn no_broker() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, "what answers is no RabbitMQ")
}
