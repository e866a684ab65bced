//! What a person does with messages that were given up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ecommerce_contract::{Envelope, Service};
use ecommerce_courier::dead_letters::{self, Command};
use ecommerce_courier::{Failure, Handle};
use ecommerce_runtime::{Shutdown, metrics};
use ecommerce_testing::{eventually, within};
use futures::future::join_all;
use sqlx::PgConnection;

use crate::{connections, consumer, stock_reserved, stores};

/// Gives everything up until it is mended.
#[derive(Debug, Clone, Default)]
struct Broken(Arc<AtomicBool>);

impl Handle for Broken {
    async fn handle(&self, _: &mut PgConnection, _: &[Envelope]) -> Result<Vec<Envelope>, Failure> {
        if self.0.load(Ordering::SeqCst) { Ok(Vec::new()) } else { Err(Failure::Dead("a rule is wrong".to_owned())) }
    }
}

/// No settings beside the tool's own.
#[derive(Debug, clap::Args)]
struct Nothing {}

fn command(words: &[&str]) -> Command {
    let line = dead_letters::arguments::<Nothing>(clap::Command::new("dead-letters"));
    let matches = line.get_matches_from([&["dead-letters"], words].concat());
    dead_letters::settings::<Nothing>(&matches).unwrap().1
}

#[tokio::test]
async fn dead_letters_are_looked_at_handled_again_and_thrown_away() {
    let (broker, database) = stores().await;
    let handler = Broken::default();
    tokio::spawn(
        consumer(connections(&broker, Service::Order), Service::Order, &database, handler.clone()).run(Shutdown::new()),
    );
    broker.ready().await;
    let events = [stock_reserved(), stock_reserved(), stock_reserved()];
    for event in &events {
        broker.publish(event).await;
    }
    broker.publish_bytes("stock.reserved", b"no envelope").await;
    eventually("all are dead", || async { (broker.depth("order.dead").await == Some(4)).then_some(()) }).await;

    let shown = "\necommerce_dead_letters{queue=\"order\"} 4\n";
    eventually("they are shown", || async { metrics::render().contains(shown).then_some(()) }).await;

    let tool = consumer(connections(&broker, Service::Order), Service::Order, &database, handler.clone());
    let ask = async |words: &[&str]| dead_letters::run(&command(words), &tool).await.map_err(|error| error.to_string());
    // Looked at more often than the broker hands a message of a live queue out.
    for _ in 0..25 {
        let list = ask(&["list"]).await.unwrap();
        assert!(list.ends_with("4 dead letters of order"), "{list}");
    }
    let list = ask(&["list"]).await.unwrap();
    let first = &events[0];
    assert!(list.contains(&format!("{}  stock.reserved  order {}", first.id, first.event.order_id())), "{list}");
    assert!(list.lines().next().unwrap().contains("dead since 20"), "{list}");
    let unreadable = list.lines().find(|line| line.contains("unreadable")).unwrap();
    let unreadable = unreadable.split_whitespace().next().unwrap();
    assert!(ask(&["show", unreadable]).await.unwrap().ends_with("no envelope"));

    let id = first.id.to_string();
    let stays = ask(&["replay", &id]).await.unwrap_err();
    assert_eq!(stays, format!("{id} stays: a rule is wrong\n1 of 1 dead letters could not be handled and stay"));
    let unknown = ask(&["replay", "mug"]).await.unwrap_err();
    assert_eq!(unknown, "there is no dead letter mug; `dead-letters list` names those that are there");

    handler.0.store(true, Ordering::SeqCst);
    assert_eq!(ask(&["replay", &id]).await.unwrap(), format!("{id} was handled"));
    let rest = ask(&["replay", "--all"]).await.unwrap_err();
    assert_eq!(rest.matches("was handled").count(), 2, "{rest}");
    assert!(rest.contains(&format!("{unreadable} stays: ")), "{rest}");
    assert!(ask(&["discard", unreadable]).await.unwrap().ends_with("is gone"));
    for nothing in [&["list"][..], &["replay", "--all"], &["discard", "--all"]] {
        assert_eq!(ask(nothing).await.unwrap(), "0 dead letters of order");
    }
}

/// Each page of the tool's holds fewer.
#[tokio::test]
async fn however_many_there_are_all_of_them_are_listed_and_thrown_away() {
    const MANY: usize = 10_100;
    let (broker, database) = stores().await;
    tokio::spawn(
        consumer(connections(&broker, Service::Order), Service::Order, &database, Broken::default())
            .run(Shutdown::new()),
    );
    broker.ready().await;
    for _ in 0..MANY / 100 {
        join_all((0..100).map(|_| broker.publish_bytes("stock.reserved", b"no envelope"))).await;
    }
    let most = Duration::from_mins(2);
    within(most, "all are dead", || async { (broker.waiting("order.dead").await as usize == MANY).then_some(()) })
        .await;
    let tool = consumer(connections(&broker, Service::Order), Service::Order, &database, Broken::default());
    let list = dead_letters::run(&command(&["list"]), &tool).await.unwrap();
    assert!(list.ends_with(&format!("\n{MANY} dead letters of order")), "{}", list.lines().last().unwrap());
    let gone = dead_letters::run(&command(&["discard", "--all"]), &tool).await.unwrap();
    assert_eq!(gone.lines().count(), MANY);
    assert_eq!(broker.waiting("order.dead").await, 0);
}

#[test]
fn whoever_names_nothing_is_told_what_there_is_to_name() {
    let line = dead_letters::arguments::<Nothing>(clap::Command::new("dead-letters"));
    let refused = line.try_get_matches_from(["dead-letters", "discard"]).unwrap_err().to_string();
    assert!(refused.contains("IDS|--all"), "{refused}");
}
