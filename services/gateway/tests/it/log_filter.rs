//! What the process logs, by a filter in a file that is changed while it runs.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use ecommerce_testing::{eventually, throughout, unique_name};

use crate::process::Process;
use crate::shop::PRODUCT;

/// Asks, and looks which lines there are by then.
async fn lines_of_a_request(gateway: &Process, lines: &Receiver<String>) -> Vec<String> {
    let answer = reqwest::get(format!("http://{}{PRODUCT}", gateway.address)).await.unwrap();
    assert_eq!(answer.status(), 200);
    lines.try_iter().collect()
}

#[tokio::test]
async fn a_process_logs_by_the_filter_that_stands_in_its_file_from_then_on() {
    let file = std::env::temp_dir().join(unique_name());
    std::fs::write(&file, "off").unwrap();
    let settings = [("LOG_FILTER_FILE", file.to_str().unwrap())];
    let (gateway, output) = Process::start_with(&settings, Stdio::piped()).await;
    let (written, lines) = channel();
    thread::spawn(move || {
        BufReader::new(output.unwrap()).lines().map_while(Result::ok).try_for_each(|line| written.send(line))
    });
    let is_told = async || lines_of_a_request(&gateway, &lines).await.iter().any(|line| line.contains(r#""access""#));
    throughout(Duration::from_secs(1), "nothing is logged", || async { !is_told().await }).await;
    std::fs::write(&file, "info").unwrap();
    eventually("each request leaves a line", || async { is_told().await.then_some(()) }).await;
    std::fs::write(&file, "info,access=of").unwrap();
    eventually("what does not read is said", || async {
        let lines = lines_of_a_request(&gateway, &lines).await;
        lines.iter().any(|line| line.contains("unable to take the log's filter")).then_some(())
    })
    .await;
    eventually("and leaves the filter", || async { is_told().await.then_some(()) }).await;
    std::fs::write(&file, "info,access=off").unwrap();
    eventually("no request leaves a line any more", || async {
        let mut quiet = 0;
        while quiet < 20 && !is_told().await {
            quiet += 1;
        }
        (quiet == 20).then_some(())
    })
    .await;
    std::fs::remove_file(&file).unwrap();
}
