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
        let told = repeat(&postgres, since, until.unwrap_or_else(|| clock.now()), &clock).await?;
        Ok(format!("{told} events are on their way again"))
    })
}

/// Writes the events into the outbox, which a process that serves sends within seconds.
async fn repeat(
    settings: &Settings,
    since: OffsetDateTime,
    until: OffsetDateTime,
    clock: &Clock,
) -> Result<usize, Failure> {
    let pool = Pool::for_background(settings, "order repeat")?;
    let (mut after, end) = (OrderId(first_id_at(since)), OrderId(first_id_at(until)));
    let mut told = 0;
    loop {
        let page = async |connection: &mut PgConnection| {
            let orders = store::placed_between(connection, after, end, PAGE).await?;
            let told = orders.iter().filter_map(|order| Some(Envelope::new(clock, None, order.told_last()?)));
            let told: Vec<Envelope> = told.collect();
            outbox::append(connection, &told).await?;
            Ok::<_, sqlx::Error>((orders.last().map(|order| order.id), told.len()))
        };
        let (last, count) = pool.run(page).await?;
        told += count;
        match last {
            Some(last) => after = last,
            None => return Ok(told),
        }
    }
}
