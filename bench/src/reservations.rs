//! How fast product sets stock aside, by itself: orders wait in its queue, as after a sale that began while it was away.

use ecommerce_contract::events::{OrderLine, OrderPlaced};
use ecommerce_contract::topology::EXCHANGE;
use ecommerce_contract::{Envelope, Event, Service};
use ecommerce_types::{Clock, OrderId, ProductId, Quantity};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, PgConnection};
use std::time::{Duration, Instant};
use uuid::Uuid;

use crate::{Failure, Shop, pause};

/// How many are published before their confirms are waited for.
const BATCH: usize = 500;
const PERSISTENT: u8 = 2;
/// How long all may take.
const DONE: Duration = Duration::from_mins(2);

/// Has product reserve one piece for each of so many orders; answers how many it reserved in a second, from its first to its last
/// commit. What it answers waits in order's queue, which nobody reads: order is stopped, and stays so.
pub async fn measure(shop: &mut Shop, count: usize, products: &[String]) -> Result<f64, Failure> {
    shop.stop(Service::Order).await;
    shop.stop(Service::Product).await;
    let orders = publish(shop, count, products).await?;
    shop.start_again(Service::Product).await?;
    let options: PgConnectOptions = shop.database_url(Service::Product).parse()?;
    let mut database = options.connect().await?;
    let deadline = Instant::now() + DONE;
    loop {
        let (reserved, seconds) = reserved(&mut database, &orders).await?;
        if usize::try_from(reserved) == Ok(count) {
            #[expect(clippy::cast_precision_loss, reason = "for people to read")]
            return Ok(count as f64 / seconds);
        }
        if Instant::now() > deadline {
            return Err(format!("of {count} orders {reserved} have their stock after {DONE:?}").into());
        }
        pause(Duration::from_millis(500)).await;
    }
}

async fn publish(shop: &Shop, count: usize, products: &[String]) -> Result<[Uuid; 2], Failure> {
    let connection = Connection::connect(&shop.broker_url(Service::Order), ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let clock = Clock::system();
    let (mut ids, mut confirms) = (Vec::new(), Vec::new());
    for number in 0..count {
        let order_id = OrderId::new(&clock);
        ids.push(order_id.0);
        let line = OrderLine {
            product_id: ProductId(products[number % products.len()].parse()?),
            quantity: Quantity::new(1)?,
        };
        let pay_by = clock.now() + DONE * 2;
        let placed = Event::OrderPlaced(OrderPlaced { order_id, lines: vec![line], pay_by });
        let (key, body) = (placed.routing_key(), serde_json::to_vec(&Envelope::new(&clock, None, placed))?);
        let properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        confirms.push(channel.basic_publish(EXCHANGE.into(), key.into(), options, &body, properties).await?);
        if confirms.len() == BATCH || number + 1 == count {
            for confirm in confirms.drain(..) {
                confirm.await?;
            }
        }
    }
    connection.close(200, "done".into()).await?;
    ids.sort_unstable();
    Ok([ids[0], ids[count - 1]])
}

/// How many of the orders between these have their stock, and how many seconds lie between the first of them and the last.
async fn reserved(database: &mut PgConnection, [first, last]: &[Uuid; 2]) -> Result<(i64, f64), Failure> {
    let query = sqlx::query_as(
        "select count(*), coalesce(extract(epoch from max(updated_at) - min(updated_at)), 0)::float8 from reservations
         where order_id between $1 and $2 and state = 'reserved'",
    );
    Ok(query.bind(first).bind(last).fetch_one(database).await?)
}
