//! A client that writes what no library would.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What came back, as text.
#[derive(Debug)]
pub(crate) struct RawAnswer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl RawAnswer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

/// Sends a request line and headers of this spelling, and reads until the gateway closes.
pub(crate) async fn ask(address: SocketAddr, line: &str, headers: &[&str]) -> RawAnswer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head(line, headers).as_bytes()).await.unwrap();
    finish(stream).await
}

/// Sends the head of a request; the body is the caller's.
pub(crate) async fn begin(address: SocketAddr, line: &str, headers: &[&str]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head(line, headers).as_bytes()).await.unwrap();
    stream
}

/// Reads the answer until the gateway closes.
pub(crate) async fn finish(mut stream: TcpStream) -> RawAnswer {
    let mut bytes = Vec::new();
    // The gateway may close before it has read everything, which shows as a reset after the answer.
    while stream.read_buf(&mut bytes).await.is_ok_and(|count| count > 0) {}
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    RawAnswer { status, head: head.to_lowercase(), body: body.to_owned() }
}

/// Asks on a connection that stays; answers the status, or nothing where the gateway has closed it.
pub(crate) async fn ask_again(stream: &mut TcpStream, request: &str) -> Option<u16> {
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if body.len() == length.parse::<usize>().unwrap() {
                return head.split(' ').nth(1)?.parse().ok();
            }
        }
        (stream.read_buf(&mut bytes).await.ok()? > 0).then_some(())?;
    }
}

fn head(line: &str, headers: &[&str]) -> String {
    let closes = headers.iter().any(|header| header.to_lowercase().starts_with("connection:"));
    let close = if closes { "" } else { "Connection: close\r\n" };
    let mut head = format!("{line} HTTP/1.1\r\nHost: shop.example\r\n{close}");
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head + "\r\n"
}
