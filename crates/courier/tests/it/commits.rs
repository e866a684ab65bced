//! One event's way through a process, with the connection to its database cut at each statement of it.

use std::collections::HashSet;
use std::time::Duration;

use ecommerce_contract::Service;
use ecommerce_postgres::Settings;
use ecommerce_testing::{BreakingLink, Moment, eventually, figure};
use secrecy::ExposeSecret as _;

use crate::replica::{Replica, answers, arrived};
use crate::{connections, stock_reserved, stores, unsent};

/// `begin`, a row, an event, `commit`, and the event's end in the outbox: each has one at least.
const FEWEST_STATEMENTS: usize = 5;

#[tokio::test]
async fn a_connection_cut_before_any_statement_is_sent_costs_no_effect_and_no_event() {
    cut_at_each(Moment::BeforeItIsSent).await;
}

#[tokio::test]
async fn a_connection_cut_before_any_statement_is_answered_costs_no_effect_and_no_event() {
    cut_at_each(Moment::BeforeItsAnswer).await;
}

async fn cut_at_each(moment: Moment) {
    let (broker, database) = stores().await;
    broker.declare().await;
    let (mut seen, mut number) = (HashSet::new(), 0);
    loop {
        number += 1;
        let wire = BreakingLink::to(database.settings.database_url.expose_secret(), number, moment).await;
        let through = Settings { database_url: wire.url.to_string().into(), ..database.settings.clone() };
        let replica = Replica::start(&connections(&broker, Service::Order), &through, Duration::from_secs(12));
        broker.publish(&stock_reserved()).await;
        eventually(&format!("an effect and its event, cut {moment:?} at {number}"), || async {
            (answers(&database).await.len() == number && unsent(&database).await == 0).then_some(())
        })
        .await;
        replica.stop().await;
        seen.extend(arrived(&broker).await);
        assert_eq!(seen, answers(&database).await, "cut {moment:?} at {number}");
        if !wire.has_broken() {
            break;
        }
    }
    assert!(number > FEWEST_STATEMENTS, "{number} are fewer than it takes");
    figure(&format!("statements that were cut {moment:?}"), number - 1);
    eventually("all are acknowledged", || async { (broker.depth("order").await == Some(0)).then_some(()) }).await;
    assert_eq!(broker.take("order.dead").await, None);
}
