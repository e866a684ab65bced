//! Orders that are placed, in one of three manners, and waited for until they are paid.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ecommerce_contract::Service;
use ecommerce_types::Clock;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, PgConnection};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use crate::customers::Person;
use crate::{Failure, Shop, pause};

/// Enough that no limit for one customer is met.
const CUSTOMERS: usize = 16;
/// How long orders may take until all are paid.
const PAID: Duration = Duration::from_mins(2);

/// When an order is placed.
#[derive(Debug, Clone, Copy)]
pub enum Manner {
    /// When the one before is paid.
    Alone,
    /// As soon as one of so many customers has the answer to its last one.
    AtOnce(usize),
    /// So many in each second, whether or not earlier ones have ended. Who comes late because the shop is slow was due all the same.
    EachSecond(f64),
}

/// How long orders took.
#[derive(Debug, Default)]
pub struct Times {
    /// All of them.
    pub whole: Duration,
    /// Each, in milliseconds, from when it was due until order had it paid, shortest first.
    pub to_paid: Vec<f64>,
    /// How often it was looked whether they are paid; each look is a commit.
    pub looks: i64,
}

/// Who buys, and looks whether it is paid.
#[derive(Debug)]
pub struct Buyers {
    customers: Arc<Vec<Person>>,
    database: PgConnection,
    looks: i64,
}

/// An order, and when it was due, in milliseconds since 1970.
type Placed = (Uuid, f64);

impl Buyers {
    /// New customers of a shop.
    pub async fn new(shop: &Shop) -> Result<Self, Failure> {
        let mut customers = Vec::new();
        for _ in 0..CUSTOMERS {
            customers.push(Person::customer(shop).await?);
        }
        let options: PgConnectOptions = shop.database_url(Service::Order).parse()?;
        Ok(Self { customers: Arc::new(customers), database: options.connect().await?, looks: 0 })
    }

    /// Places so many orders of these products, in turn, and waits until all are paid.
    pub async fn place(&mut self, count: usize, manner: Manner, products: &Arc<Vec<String>>) -> Result<Times, Failure> {
        let (began, looks) = (Instant::now(), self.looks);
        let placed = match manner {
            Manner::Alone => self.alone(count, products).await?,
            Manner::AtOnce(at_once) => self.at_once(count, at_once, products).await?,
            Manner::EachSecond(rate) => self.each_second(count, rate, products).await?,
        };
        self.await_paid(&placed).await?;
        Ok(Times { whole: began.elapsed(), to_paid: self.times(&placed).await?, looks: self.looks - looks })
    }

    async fn alone(&mut self, count: usize, products: &[String]) -> Result<Vec<Placed>, Failure> {
        let mut placed = Vec::new();
        for number in 0..count {
            placed.push(buy(&self.customers, products, number, now()).await?);
            self.await_paid(&placed[number..]).await?;
        }
        Ok(placed)
    }

    async fn at_once(&self, count: usize, at_once: usize, products: &Arc<Vec<String>>) -> Result<Vec<Placed>, Failure> {
        let (next, mut running) = (Arc::new(AtomicUsize::new(0)), JoinSet::new());
        for _ in 0..at_once {
            let (next, customers, products) = (Arc::clone(&next), Arc::clone(&self.customers), Arc::clone(products));
            running.spawn(async move {
                let mut placed = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return Ok::<_, Failure>(placed);
                    }
                    placed.push(buy(&customers, &products, number, now()).await?);
                }
            });
        }
        let mut placed = Vec::new();
        while let Some(ended) = running.join_next().await {
            placed.extend(ended??);
        }
        Ok(placed)
    }

    async fn each_second(&self, count: usize, rate: f64, products: &Arc<Vec<String>>) -> Result<Vec<Placed>, Failure> {
        let mut due = interval(Duration::from_secs_f64(1.0 / rate));
        due.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut running = JoinSet::new();
        for number in 0..count {
            let late = due.tick().await.elapsed();
            let due = now() - late.as_secs_f64() * 1000.0;
            let (customers, products) = (Arc::clone(&self.customers), Arc::clone(products));
            running.spawn(async move { buy(&customers, &products, number, due).await });
        }
        let mut placed = Vec::new();
        while let Some(ended) = running.join_next().await {
            placed.push(ended??);
        }
        Ok(placed)
    }

    /// Looks again at those alone that were not paid the last time, so that the looks cost little beside what is measured.
    async fn await_paid(&mut self, placed: &[Placed]) -> Result<(), Failure> {
        let mut unpaid: Vec<Uuid> = placed.iter().map(|(id, _)| *id).collect();
        let look = Duration::from_millis(if unpaid.len() == 1 { 5 } else { 100 });
        let deadline = Instant::now() + PAID;
        while !unpaid.is_empty() {
            if Instant::now() > deadline {
                return Err(format!("of {} orders {} are not paid after {PAID:?}", placed.len(), unpaid.len()).into());
            }
            pause(look).await;
            let query = sqlx::query_scalar("select id from orders where id = any($1) and status <> 'paid'");
            unpaid = query.bind(&unpaid).fetch_all(&mut self.database).await?;
            self.looks += 1;
        }
        Ok(())
    }

    async fn times(&mut self, placed: &[Placed]) -> Result<Vec<f64>, Failure> {
        let ids: Vec<Uuid> = placed.iter().map(|(id, _)| *id).collect();
        let query =
            sqlx::query_as("select id, extract(epoch from updated_at)::float8 * 1000 from orders where id = any($1)");
        let paid: Vec<(Uuid, f64)> = query.bind(&ids).fetch_all(&mut self.database).await?;
        let paid: HashMap<Uuid, f64> = paid.into_iter().collect();
        let mut times: Vec<f64> = placed.iter().filter_map(|(id, due)| Some(paid.get(id)? - due)).collect();
        times.sort_unstable_by(f64::total_cmp);
        Ok(times)
    }
}

impl Times {
    /// Of a hundred orders, so many took no longer than this, in milliseconds.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> f64 {
        self.to_paid.get(self.to_paid.len() * percent / 100).copied().unwrap_or_default()
    }

    /// Orders in a second.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "for people to read")]
    pub fn rate(&self) -> f64 {
        self.to_paid.len() as f64 / self.whole.as_secs_f64()
    }
}

async fn buy(customers: &[Person], products: &[String], number: usize, due: f64) -> Result<Placed, Failure> {
    let id = customers[number % customers.len()].buy(&products[number % products.len()]).await?;
    Ok((id, due))
}

#[expect(clippy::cast_precision_loss, reason = "to a fraction of a microsecond, which is more than is shown")]
fn now() -> f64 {
    Clock::system().now().unix_timestamp_nanos() as f64 / 1_000_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_times() {
        let times = Times { whole: Duration::from_secs(2), to_paid: (1..=200_u8).map(f64::from).collect(), looks: 0 };
        let shown = [times.percentile(50), times.percentile(99), times.rate()].map(|figure| figure.to_string());
        assert_eq!(shown, ["101", "199", "100"]);
        assert!(Times::default().percentile(99).abs() < f64::EPSILON);
    }
}
