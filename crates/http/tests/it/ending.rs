//! A process that ends loses no request of a client that goes on using its connection.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::site::Site;

/// Asks on a connection that stays; `None` where the server has ended it.
async fn ask(stream: &mut TcpStream, site: &Site) -> Option<String> {
    let key = site.keys.of(ecommerce_contract::Service::Gateway);
    let request = format!("GET /hello HTTP/1.1\r\nHost: x\r\nx-api-key: {key}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"hello") {
        if stream.read_buf(&mut answer).await.ok()? == 0 {
            return None;
        }
    }
    Some(String::from_utf8(answer).unwrap())
}

#[tokio::test]
async fn an_idle_connection_is_answered_once_more_and_told_to_close() {
    let site = Site::open().await;
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    assert!(!ask(&mut stream, &site).await.unwrap().contains("connection: close"));
    let mut other = TcpStream::connect(site.address).await.unwrap();
    assert!(ask(&mut other, &site).await.is_some());

    site.shutdown.drain();
    assert!(ask(&mut stream, &site).await.unwrap().contains("connection: close"));
    assert_eq!(ask(&mut stream, &site).await, None, "it has been said");

    site.shutdown.stop();
    ecommerce_testing::eventually("no new connection is taken", || async {
        TcpStream::connect(site.address).await.is_err().then_some(())
    })
    .await;
    assert!(ask(&mut other, &site).await.unwrap().contains("connection: close"), "one that was idle meanwhile");
}
