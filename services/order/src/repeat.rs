//! `order repeat`: tells again what was told of orders that are paid or have ended, for a product or a payment that may not have heard:
//! whose database was put back to an earlier day, or whose queue was deleted. Whoever has heard does nothing.

use clap::{ArgMatches, Args as _, Command, FromArgMatches as _};
use ecommerce_contract::Envelope;
use ecommerce_postgres::{Pool, Settings, outbox};
use ecommerce_process::{Failure, Tool, Use};
use ecommerce_types::{Clock, OrderId, first_id_at};
use sqlx::PgConnection;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::store;

/// How many orders one statement reads, and how many events one writes.
const PAGE: i64 = 500;

/// `order repeat`
pub const REPEAT: Tool = Tool { name: "repeat", arguments, run };

/// Of which orders.
#[derive(Debug, clap::Args)]
struct Range {
    #[command(flatten)]
    postgres: Settings,
    /// Of orders that were placed at this time or later, like 2027-01-15T08:00:00Z.
    #[arg(long, value_parser = time_of)]
    since: OffsetDateTime,
    /// And before this time; absent: up to now.
    #[arg(long, value_parser = time_of)]
    until: Option<OffsetDateTime>,
}

fn time_of(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| "a time looks like 2027-01-15T08:00:00Z".to_owned())
}

fn arguments(command: Command) -> Command {
    Range::augment_args(command).about("Tell product and payment again of orders that are paid or have ended")
}

fn run(matches: ArgMatches) -> Use {
    Box::pin(async move {
        let Range { postgres, since, until } = Range::from_arg_matches(&matches)?;
        let clock = Clock::system();
        let Repeated { told, unreadable } =
            repeat(&postgres, since, until.unwrap_or_else(|| clock.now()), &clock).await?;
        let said = format!("{told} events are on their way again");
        if unreadable.is_empty() { Ok(said) } else { Err(OrdersStay { said, unreadable }.into()) }
    })
}

/// What came of it.
#[derive(Debug, Default)]
struct Repeated {
    /// How many events were written.
    told: usize,
    /// Orders that this version cannot read.
    unreadable: Vec<OrderId>,
}

/// Some orders could not be told of.
#[derive(Debug, thiserror::Error)]
#[error("{said}; these orders do not read, and nothing is told of them: {}", names(unreadable))]
struct OrdersStay {
    /// What was told of the others.
    said: String,
    unreadable: Vec<OrderId>,
}

fn names(orders: &[OrderId]) -> String {
    orders.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Writes the events into the outbox, which a process that serves sends within seconds.
async fn repeat(
    settings: &Settings,
    since: OffsetDateTime,
    until: OffsetDateTime,
    clock: &Clock,
) -> Result<Repeated, Failure> {
    let pool = Pool::for_background(settings, "order repeat")?;
    let (mut after, end) = (OrderId(first_id_at(since)), OrderId(first_id_at(until)));
    let mut repeated = Repeated::default();
    loop {
        let page = async |connection: &mut PgConnection| {
            let store::Found { orders, unreadable } = store::placed_between(connection, after, end, PAGE).await?;
            let told = orders.iter().filter_map(|order| Some(Envelope::new(clock, None, order.told_last()?)));
            let told: Vec<Envelope> = told.collect();
            outbox::append(connection, &told).await?;
            let last = orders.iter().map(|order| order.id).chain(unreadable.iter().copied()).max();
            Ok::<_, sqlx::Error>((last, told.len(), unreadable))
        };
        let (last, told, unreadable) = pool.run(page).await?;
        repeated.told += told;
        repeated.unreadable.extend(unreadable);
        match last {
            Some(last) => after = last,
            None => return Ok(repeated),
        }
    }
}
