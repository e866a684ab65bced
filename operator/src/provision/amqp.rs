//! A login at a RabbitMQ, tried: as much of AMQP 0-9-1 as it takes to be let into a vhost
//! (<https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf>, 2.2.4 and 4.2).

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout_at};

use super::error::Fault;
use super::wire::{Wire, connect, unreachable};
use crate::external::{Address, Found};

const METHOD_FRAME: u8 = 1;
const FRAME_END: u8 = 0xCE;
/// The class of what is said of a connection, and its methods.
const CONNECTION: u16 = 10;
const START: u16 = 10;
const START_OK: u16 = 11;
const TUNE: u16 = 30;
const TUNE_OK: u16 = 31;
const OPEN: u16 = 40;
const OPEN_OK: u16 = 41;
const CLOSE: u16 = 50;
/// Longer than anything that is said before a connection is open, in bytes.
const LONGEST: u32 = 128 * 1024;

/// Tries whether this password opens the vhost.
pub(super) async fn try_login(
    found: &Found,
    address: &Address,
    password: &str,
    deadline: Instant,
) -> Result<(), Fault> {
    let mut wire = connect(found, address, deadline).await?;
    match timeout_at(deadline, log_in(&mut wire, address, password)).await {
        Ok(Ok(Ok(()))) => Ok(()),
        Ok(Ok(Err(why))) => Err(Fault::NotLetIn { key: address.said_by.clone(), why }),
        Ok(Err(error)) => Err(unreachable(address, error.to_string())),
        Err(_) => Err(unreachable(address, "it says nothing in time".to_owned())),
    }
}

/// Whether it was let in, or what the broker says.
async fn log_in(wire: &mut Wire, address: &Address, password: &str) -> std::io::Result<Result<(), String>> {
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
    write_method(wire, START_OK, &start_ok).await?;
    let tune = read_method(wire).await?;
    if let Some(why) = said_at_close(&tune) {
        return Ok(Err(why));
    }
    expect(TUNE, &tune)?;

    // One channel, frames as they come, no heartbeat: it is over in a moment.
    write_method(wire, TUNE_OK, &[0, 1, 0, 0, 0x20, 0, 0, 0]).await?;
    write_method(wire, OPEN, &[short(&address.path), vec![0, 0]].concat()).await?;
    let open = read_method(wire).await?;
    if let Some(why) = said_at_close(&open) {
        return Ok(Err(why));
    }
    expect(OPEN_OK, &open)?;
    write_method(wire, CLOSE, &[vec![0, 200], short("tried"), vec![0, 0, 0, 0]].concat()).await?;
    Ok(Ok(()))
}

struct Method {
    number: u16,
    arguments: Vec<u8>,
}

fn expect(wanted: u16, method: &Method) -> std::io::Result<()> {
    if method.number == wanted { Ok(()) } else { Err(no_broker()) }
}

/// The text of `connection.close`: after the code of the reply.
fn said_at_close(method: &Method) -> Option<String> {
    let text = method.arguments.get(2..).filter(|_| method.number == CLOSE)?;
    let (length, text) = text.split_first()?;
    Some(String::from_utf8_lossy(text.get(..usize::from(*length))?).into_owned())
}

async fn read_method(wire: &mut Wire) -> std::io::Result<Method> {
    let kind = wire.read_u8().await?;
    let _channel = wire.read_u16().await?;
    let length = wire.read_u32().await?;
    if kind != METHOD_FRAME || !(4..=LONGEST).contains(&length) {
        return Err(no_broker());
    }
    let class = wire.read_u16().await?;
    let number = wire.read_u16().await?;
    let mut arguments = vec![0; length as usize - 4];
    wire.read_exact(&mut arguments).await?;
    if class != CONNECTION || wire.read_u8().await? != FRAME_END {
        return Err(no_broker());
    }
    Ok(Method { number, arguments })
}

async fn write_method(wire: &mut Wire, number: u16, arguments: &[u8]) -> std::io::Result<()> {
    let method = [&CONNECTION.to_be_bytes(), &number.to_be_bytes(), arguments].concat();
    let frame = [&[METHOD_FRAME, 0, 0][..], &long(&method), &[FRAME_END]].concat();
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
