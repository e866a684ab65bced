//! What one order costs, from its placing until it is paid: alone, and where many come at once.
//!
//! Counts hold on any machine, and one over its budget ends the run with 1. Times are shown and never asserted.
#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bench::cost::{COUNTED, Cost, Counting};
use bench::customers::Person;
use bench::frontend::RoundTrips;
use bench::shop::Edge;
use bench::{Failure, Options, Shop};
use clap::Parser;
use ecommerce_contract::Service;
use tokio::task::JoinSet;

/// Prints what one order costs.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Orders that are placed one after the other.
    #[arg(long, default_value_t = 200)]
    alone: usize,
    /// Orders that are placed as fast as may be.
    #[arg(long, default_value_t = 4_000)]
    many: usize,
    /// How many of those are placed at once.
    #[arg(long, default_value_t = 48)]
    at_once: usize,
    /// The most round trips with PostgreSQL that an order alone may cost.
    #[arg(long, default_value_t = 30)]
    most_alone: u64,
    /// The same among many.
    #[arg(long, default_value_t = 10)]
    most_among_many: u64,
    /// How many of a hundred changes of an order are to stay in its page and touch no index (HOT).
    #[arg(long, default_value_t = 95)]
    least_hot: i64,
}

/// How many different products are bought.
const PRODUCTS: usize = 50;
/// Enough that no limit for one customer is met.
const CUSTOMERS: usize = 16;
/// Until PostgreSQL has told all its figures.
const FIGURES: Duration = Duration::from_millis(2_500);

struct Bench {
    shop: Shop,
    counting: Counting,
    customers: Arc<Vec<Person>>,
}

#[tokio::main]
async fn main() -> Result<ExitCode, Failure> {
    let arguments = Arguments::parse();
    let trips: BTreeMap<Service, RoundTrips> =
        Service::WITH_DATABASE.map(|service| (service, RoundTrips::default())).into();
    let heard = trips.clone();
    let heard_by = move |edge| -> Box<dyn Fn() -> _ + Send + Sync> {
        match edge {
            Edge::Store(service, COUNTED) if heard.contains_key(&service) => {
                let trips = heard[&service].clone();
                Box::new(move || trips.listener())
            }
            _ => Box::new(|| Box::new(|_: &[u8]| {})),
        }
    };
    let shop = Shop::start(&arguments.options, &heard_by).await?;
    let counting = Counting::new(&shop, trips).await?;
    let mut customers = Vec::new();
    for _ in 0..CUSTOMERS {
        customers.push(Person::customer(&shop).await?);
    }
    let mut bench = Bench { shop, counting, customers: Arc::new(customers) };
    let outcome = bench.run(&arguments).await;
    bench.shop.remove().await;
    outcome
}

impl Bench {
    async fn run(&mut self, arguments: &Arguments) -> Result<ExitCode, Failure> {
        let admin = Person::admin(&self.shop).await?;
        let mut products = Vec::new();
        for _ in 0..PRODUCTS {
            products.push(admin.sell(1_000_000).await?);
        }
        let (spread, one) = (Arc::new(products.clone()), Arc::new(vec![products.remove(0)]));
        // Every statement is prepared, and every connection open.
        self.place(arguments.many / 4, arguments.at_once, &spread).await?;

        let alone = self.measure("alone", arguments.alone, 1, &spread).await?;
        let many = self.measure("among many, of many products", arguments.many, arguments.at_once, &spread).await?;
        self.measure("among many, of one product", arguments.many, arguments.at_once, &one).await?;
        let budgets = [
            ("alone", &alone, arguments.most_alone, arguments.alone),
            ("among many", &many, arguments.most_among_many, arguments.many),
        ];
        let mut is_over = false;
        for (name, cost, budget, count) in budgets {
            let trips = cost.all_round_trips().div_ceil(count as u64);
            if trips > budget {
                println!("an order {name} costs {trips} round trips and may cost {budget}");
                is_over = true;
            }
        }
        let hot = self.counting.hot_changes().await?;
        println!("of a hundred changes of an order {hot} are HOT");
        is_over |= hot < arguments.least_hot;
        Ok(if is_over { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    async fn measure(
        &mut self,
        name: &str,
        count: usize,
        at_once: usize,
        products: &Arc<Vec<String>>,
    ) -> Result<Cost, Failure> {
        pause(FIGURES).await;
        let before = self.counting.now(&self.shop).await?;
        let took = self.place(count, at_once, products).await?;
        pause(FIGURES).await;
        let cost = self.counting.now(&self.shop).await?.since(&before);
        let times = self.counting.times_to_paid(count).await?;
        print(name, &cost, count, took, &times);
        Ok(cost)
    }

    /// Places orders, so many at once, and waits until all are paid; answers how long that took. One at once waits for each.
    async fn place(&mut self, count: usize, at_once: usize, products: &Arc<Vec<String>>) -> Result<Duration, Failure> {
        let began = Instant::now();
        let paid = self.counting.orders("paid").await?;
        if at_once == 1 {
            for number in 0..count {
                self.customers[number % CUSTOMERS].buy(&products[number % products.len()]).await?;
                self.await_paid(paid + i64::try_from(number)? + 1, Duration::from_millis(5)).await?;
            }
            return Ok(began.elapsed());
        }
        let (next, mut running) = (Arc::new(AtomicUsize::new(0)), JoinSet::new());
        for _ in 0..at_once {
            let (next, customers, products) = (Arc::clone(&next), Arc::clone(&self.customers), Arc::clone(products));
            running.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return Ok::<(), Failure>(());
                    }
                    customers[number % CUSTOMERS].buy(&products[number % products.len()]).await?;
                }
            });
        }
        while let Some(ended) = running.join_next().await {
            ended??;
        }
        self.await_paid(paid + i64::try_from(count)?, Duration::from_millis(100)).await?;
        Ok(began.elapsed())
    }

    async fn await_paid(&mut self, count: i64, look: Duration) -> Result<(), Failure> {
        let deadline = Instant::now() + Duration::from_mins(2);
        while self.counting.orders("paid").await? < count {
            if Instant::now() > deadline {
                return Err("not every order is paid after two minutes".into());
            }
            pause(look).await;
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn print(name: &str, cost: &Cost, count: usize, took: Duration, times: &[f64]) {
    let of_one = |whole: f64| whole / count as f64;
    let cpu = |name: &str| of_one(cost.cpu[name].as_secs_f64() * 1000.0);
    let all: f64 = cost.cpu.keys().map(|name| cpu(name)).sum();
    println!("an order {name} ({count} orders)");
    let trips: Vec<String> =
        cost.round_trips.iter().map(|(service, trips)| format!("{service} {:.1}", of_one(*trips as f64))).collect();
    println!("  round trips   {:.1} ({})", of_one(cost.all_round_trips() as f64), trips.join(", "));
    println!(
        "  commits       {:.1}, flushes {:.2}, log {:.0} bytes",
        of_one(cost.commits as f64),
        of_one(cost.flushes as f64),
        of_one(cost.log_bytes as f64)
    );
    let each: Vec<String> = cost.cpu.keys().map(|name| format!("{name} {:.2}", cpu(name))).collect();
    println!("  processors    {all:.2} ms ({})", each.join(", "));
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    println!(
        "  to paid       p50 {:.0} ms, p99 {:.0} ms; {:.0} orders a second",
        at(50),
        at(99),
        count as f64 / took.as_secs_f64()
    );
}

async fn pause(time: Duration) {
    #[expect(clippy::disallowed_methods, reason = "what is waited for gives no sign")]
    tokio::time::sleep(time).await;
}
