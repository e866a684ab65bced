//! Strangers who take what they can: memory, connections, labels, log lines. What they can take has a bound, and other people
//! are served meanwhile.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use ecommerce_testing::{Nginx, figure, scale, within};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::process::Process;
use crate::raw;
use crate::shop::PRODUCT;

/// What one hostile story may leave behind, in KiB.
const LEFT_BEHIND: i64 = 1024;
/// Longer than the longest of the limits, and the second that it takes to look.
const SLOW: Duration = Duration::from_secs(40);

async fn ask(address: SocketAddr) -> u16 {
    reqwest::get(format!("http://{address}{PRODUCT}")).await.unwrap().status().as_u16()
}

/// Whether the other side has ended the connection; what it still sends is thrown away.
fn has_ended(stream: &TcpStream) -> bool {
    let mut rest = [0; 4096];
    loop {
        match stream.try_read(&mut rest) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }
}

async fn all_have_ended(streams: &[TcpStream], what: &str) {
    within(SLOW, what, || std::future::ready(streams.iter().all(has_ended).then_some(()))).await;
}

#[tokio::test]
async fn a_made_up_method_leaves_neither_a_series_nor_memory() {
    let gateway = Process::start(&[]).await;
    assert_eq!(ask(gateway.address).await, 200);
    let letters = "X".repeat(15_000);
    let ask_so = async |number: usize| {
        let mut stream = TcpStream::connect(gateway.address).await.unwrap();
        let request = format!("M{number}{letters} / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        answer
    };
    // What serving such a request takes at all is not what it leaves.
    for number in 0..20 {
        ask_so(number).await;
    }
    let before = gateway.resident();
    for number in 0..scale(1_000, 200) {
        let answer = ask_so(number).await;
        assert!(answer.starts_with("HTTP/1.1 501 "), "{answer}");
        assert!(answer.contains(r#""code":"unknown_method""#), "{answer}");
    }
    let left = gateway.resident() - before;
    figure("made-up methods, KiB left", format!("{left} beside {before}"));
    assert!(left < LEFT_BEHIND, "{left} KiB");
    let metrics = gateway.metrics().await;
    let methods: std::collections::BTreeSet<&str> =
        metrics.split("http_request_method=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(methods.len() <= 10 && !methods.iter().any(|method| method.contains('X')), "{methods:?}");
}

#[tokio::test]
async fn a_head_without_an_end_is_refused_at_its_limit_and_one_that_creeps_is_cut_off() {
    let gateway = Process::start(&[]).await;
    assert_eq!(ask(gateway.address).await, 200);
    let before = gateway.resident();
    let header = format!("x-filler: {}\r\n", "y".repeat(1_000));
    let count = scale(400, 100);
    let mut endless = JoinSet::new();
    for _ in 0..count {
        let (address, header) = (gateway.address, header.clone());
        endless.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nHost: shop.example\r\n").await.unwrap();
            // 400 kB, or as much as it is let.
            for _ in 0..400 {
                if stream.write_all(header.as_bytes()).await.is_err() {
                    break;
                }
            }
            stream
        });
    }
    let mut creeping = Vec::new();
    for _ in 0..count {
        let mut stream = TcpStream::connect(gateway.address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: sh").await.unwrap();
        creeping.push(stream);
    }
    let endless = endless.join_all().await;
    let most = gateway.resident() - before;
    assert_eq!(ask(gateway.address).await, 200, "others are served");
    all_have_ended(&endless, "an endless head is cut off").await;
    all_have_ended(&creeping, "a creeping head is cut off").await;
    figure("endless and creeping heads, KiB taken", format!("{most} beside {before}"));
    assert!(most < 32 * 2 * i64::try_from(count).unwrap(), "{most} KiB");
}

#[tokio::test]
async fn a_client_that_never_reads_its_answers_is_let_go() {
    let gateway = Process::start(&[]).await;
    assert_eq!(ask(gateway.address).await, 200);
    let before = gateway.resident();
    let mut deaf = Vec::new();
    let count = i64::try_from(scale(300, 60)).unwrap();
    for _ in 0..count {
        let mut stream = TcpStream::connect(gateway.address).await.unwrap();
        let request = format!("GET {PRODUCT}?answer=long HTTP/1.1\r\nHost: shop.example\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        deaf.push(stream);
    }
    assert_eq!(ask(gateway.address).await, 200, "others are served");
    within(SLOW, "those who do not read are let go", || async {
        let open = gateway.metrics().await;
        let open = open.lines().find_map(|line| line.strip_prefix("ecommerce_http_connections "));
        open.is_some_and(|open| open.parse::<usize>().unwrap() < 10).then_some(())
    })
    .await;
    let most = gateway.status("VmHWM:") - before;
    figure("clients that read nothing, KiB taken", format!("{most} beside {before}"));
    assert!(most < count * 200, "{most} KiB");
    drop(deaf);
}

#[tokio::test]
async fn a_body_that_comes_byte_by_byte_takes_no_more_than_its_bytes() {
    let gateway = Process::start(&[]).await;
    assert_eq!(ask(gateway.address).await, 200);
    let before = gateway.resident();
    let mut slow = JoinSet::new();
    let count = i64::try_from(scale(50, 5)).unwrap();
    for _ in 0..count {
        slow.spawn(async move {
            let mut stream = TcpStream::connect(gateway.address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let head = "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n";
            stream.write_all(head.as_bytes()).await.unwrap();
            for _ in 0..4_000 {
                stream.write_all(b"x").await.unwrap();
                // So that it is read alone.
                tokio::task::yield_now().await;
            }
            stream
        });
    }
    let slow = slow.join_all().await;
    assert_eq!(ask(gateway.address).await, 200, "others are served");
    let most = gateway.status("VmHWM:") - before;
    figure("bodies byte by byte, KiB taken", format!("{most} beside {before}"));
    assert!(most < 1024 + count * 64, "{most} KiB");
    drop(slow);
}

#[tokio::test]
async fn requests_that_nobody_scrapes_leave_nothing() {
    let gateway = Process::start(&[]).await;
    let client = reqwest::Client::new();
    let target = format!("http://{}{PRODUCT}", gateway.address);
    let ask_often = async |count: usize| {
        for _ in 0..count {
            assert_eq!(client.get(&target).send().await.unwrap().status(), 200);
        }
    };
    // Until everything that is made once has been made.
    ask_often(2_000).await;
    let before = gateway.resident();
    let count = scale(200_000, 20_000);
    ask_often(count).await;
    let left = gateway.resident() - before;
    figure("requests without a scrape, KiB left", format!("{left} beside {before}"));
    // 16 bytes each, as a recorder keeps them that waits for its reader, would be more.
    assert!(left < 250 + i64::try_from(count).unwrap() / 256, "{left} KiB");
}

#[tokio::test]
async fn silent_connections_of_ones_own_address_keep_nobody_from_buying() {
    let gateway = Process::start(&[("HTTP_MAX_CONNECTIONS", "256")]).await;
    let mut silent = Vec::new();
    for number in 0..scale(1_000, 300) {
        silent.push(TcpStream::connect(gateway.address).await.unwrap());
        if number % 50 == 0 {
            assert_eq!(ask(gateway.address).await, 200, "beside {number} silent ones");
        }
    }
    let client = reqwest::Client::new();
    for _ in 0..20 {
        let answer = client.get(format!("http://{}{PRODUCT}", gateway.address)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "a buyer who stays");
        silent.push(TcpStream::connect(gateway.address).await.unwrap());
    }
    let open = gateway.metrics().await;
    let open = open.lines().find_map(|line| line.strip_prefix("ecommerce_http_connections ")).unwrap();
    assert!(open.parse::<usize>().unwrap() <= 128 + 2, "an address holds half: {open}");
}

/// They come quicker than anyone looks whether they ask something; who has been served before stays all the same.
#[tokio::test]
async fn silent_connections_that_come_at_once_cut_off_nobody_who_has_been_served() {
    let gateway = Process::start(&[("HTTP_MAX_CONNECTIONS", "256")]).await;
    let request = format!("GET {PRODUCT} HTTP/1.1\r\nHost: shop.example\r\n\r\n");
    let mut buyer = TcpStream::connect(gateway.address).await.unwrap();
    let mut silent = Vec::new();
    for round in 0..scale(100, 20) {
        assert_eq!(raw::ask_again(&mut buyer, &request).await, Some(200), "round {round}");
        let mut burst = JoinSet::new();
        for _ in 0..300 {
            burst.spawn(TcpStream::connect(gateway.address));
        }
        silent = burst.join_all().await;
        let mut newcomer = TcpStream::connect(gateway.address).await.unwrap();
        assert_eq!(raw::ask_again(&mut newcomer, &request).await, Some(200), "a newcomer in round {round}");
    }
    drop(silent);
}

#[tokio::test]
async fn many_clients_behind_one_proxy_of_ours_are_many_clients() {
    let gateway = Process::start(&[("TRUSTED_PROXIES", "1"), ("HTTP_MAX_CONNECTIONS", "400")]).await;
    let proxy = Nginx::before(gateway.address).await;
    let address = proxy.address;
    let mut clients = JoinSet::new();
    for _ in 0..300 {
        clients.spawn(async move {
            let client = reqwest::Client::new();
            let mut statuses = Vec::new();
            for _ in 0..3 {
                statuses.push(client.get(format!("http://{address}{PRODUCT}")).send().await.unwrap().status().as_u16());
            }
            statuses
        });
    }
    let statuses: Vec<u16> = clients.join_all().await.into_iter().flatten().collect();
    let served = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(served, 900, "{statuses:?}");
}

#[tokio::test]
async fn a_log_that_nobody_reads_stops_nobody() {
    let (gateway, unread) = Process::start_with(&[], Stdio::piped()).await;
    let client = reqwest::Client::new();
    let began = Instant::now();
    // More lines than the pipe and the buffer hold together.
    for number in 0..scale(20_000, 6_000) {
        let answer = client.get(format!("http://{}{PRODUCT}", gateway.address)).timeout(Duration::from_secs(5));
        assert_eq!(answer.send().await.unwrap().status(), 200, "request {number} after {:?}", began.elapsed());
    }
    let metrics = gateway.metrics().await;
    let dropped = metrics.lines().find_map(|line| line.strip_prefix("ecommerce_log_lines_dropped_total ")).unwrap();
    assert!(dropped.parse::<u64>().unwrap() > 0, "what has no room is counted");
    drop(unread);
}

#[tokio::test]
async fn threads_are_as_many_as_it_is_told() {
    let gateway = Process::start(&[("WORKER_THREADS", "7")]).await;
    assert_eq!(ask(gateway.address).await, 200);
    // Those that serve, the first one, the log's, and what resolves names now and then.
    assert!((8..=12).contains(&gateway.status("Threads:")), "{}", gateway.status("Threads:"));
}

#[tokio::test]
async fn what_is_no_http_is_told_so_in_a_problem_document() {
    let gateway = Process::start(&[]).await;
    let send = async |request: String| {
        let mut stream = TcpStream::connect(gateway.address).await.unwrap();
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap_or_else(|error| panic!("{error}: {answer}"));
        answer
    };
    let cookies = format!("GET {PRODUCT} HTTP/1.1\r\nHost: x\r\nCookie: c={}\r\n\r\n", "y".repeat(16 * 1024));
    let path = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "y".repeat(70_000));
    for (request, status, code) in [
        (cookies, "431", "head_too_large"),
        (path, "431", "head_too_large"),
        ("nonsense\r\n\r\n".to_owned(), "400", "malformed_request"),
        (format!("GET {PRODUCT} HTTP/1.1\r\nHost : x\r\n\r\n"), "400", "malformed_request"),
    ] {
        let answer = send(request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains("content-type: application/problem+json\r\n"), "{answer}");
        assert!(answer.contains(&format!(r#""code":"{code}""#)), "{answer}");
    }
}

#[tokio::test]
async fn a_refused_write_costs_no_connection_when_its_body_comes_after_its_head() {
    let gateway = Process::start(&[]).await;
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    for number in 0..scale(1_000, 100) {
        let head = "POST /api/v1/orders HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 1000\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        // As a client does that sends in two writes: the head is there before the body.
        let early = tokio::time::timeout(Duration::from_millis(5), stream.readable()).await;
        assert!(early.is_err(), "answered before the body was there, at {number}");
        stream.write_all(&[b'x'; 1000]).await.unwrap();
        let answer = one_answer(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "at {number}: {answer}");
    }
}

/// One answer with a declared length; the connection stays.
async fn one_answer(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let read = stream.read_buf(&mut bytes).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(read > 0, "the connection ended: {text}");
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() == length.parse::<usize>().unwrap() {
            return text;
        }
    }
}
