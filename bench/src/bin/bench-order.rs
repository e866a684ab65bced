//! What one order costs, from its placing until it is paid: alone, where many come at once, of one product or of many, at a given
//! rate, and in a shop that has been open for years.
//!
//! Counts hold on any machine, and one over its budget ends the run with 1. Times are shown and never asserted.
#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bench::cost::{COUNTED, Counting};
use bench::customers::Person;
use bench::frontend::RoundTrips;
use bench::orders::{Buyers, Manner};
use bench::past::Past;
use bench::report::{Measured, Rest};
use bench::row_lock::RowLock;
use bench::shop::Edge;
use bench::{Failure, Options, Shop, pause, reservations};
use clap::Parser;
use ecommerce_contract::Service;

/// Prints what one order costs.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    past: Past,
    /// Orders that are placed one after the other.
    #[arg(long, default_value_t = 200)]
    alone: usize,
    /// Orders that are placed as fast as may be.
    #[arg(long, default_value_t = 4_000)]
    many: usize,
    /// How many of those are placed at once.
    #[arg(long, default_value_t = 48)]
    at_once: usize,
    /// Orders in a second that count as a shop at rest.
    #[arg(long, default_value_t = 5.0)]
    idle_rate: f64,
    /// Orders that wait for product alone, to be compared with as many that lock a row each; none: that is left out.
    #[arg(long, default_value_t = 10_000)]
    reservations: usize,
    /// The most round trips with PostgreSQL that an order alone may cost.
    #[arg(long, default_value_t = 30)]
    most_alone: u64,
    /// The same among many.
    #[arg(long, default_value_t = 10)]
    most_among_many: u64,
    /// How many of a hundred changes of an order are to stay in its page and touch no index (HOT).
    #[arg(long, default_value_t = 95)]
    least_hot: i64,
    /// How many of a hundred shared buffers more an order may touch when the tables are full.
    #[arg(long, default_value_t = 20)]
    most_growth: u8,
}

/// How many different products are bought.
const PRODUCTS: usize = 50;
/// Until PostgreSQL has told all its figures.
const FIGURES: Duration = Duration::from_millis(2_500);
/// How long is counted what goes on by itself.
const REST: Duration = Duration::from_secs(10);

type Products = Arc<Vec<String>>;

struct Bench {
    arguments: Arguments,
    shop: Shop,
    counting: Counting,
    buyers: Buyers,
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
    let buyers = Buyers::new(&shop).await?;
    let mut bench = Bench { arguments, shop, counting, buyers };
    let outcome = bench.run().await;
    bench.shop.remove().await;
    Ok(if outcome? { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

impl Bench {
    /// Measures everything; answers whether a count is over its budget.
    async fn run(&mut self) -> Result<bool, Failure> {
        let (alone, many) = (self.arguments.alone, self.arguments.many);
        let at_once = Manner::AtOnce(self.arguments.at_once);
        let admin = Person::admin(&self.shop).await?;
        let mut products = Vec::new();
        for _ in 0..PRODUCTS {
            products.push(admin.sell(1_000_000).await?);
        }
        let (spread, one) = (Products::new(products.clone()), Products::new(vec![products.remove(0)]));
        // Every statement is prepared, and every connection open.
        self.buyers.place(many / 4, at_once, &spread).await?;

        let by_itself = self.measure("alone", alone, Manner::Alone, &spread).await?;
        let among_many = self.measure("among many", many, at_once, &spread).await?;
        let again = self.measure("among many, the same once more", many, at_once, &spread).await?;
        let of_one = self.measure("among many, of one product", many, at_once, &one).await?;
        println!("the same twice: {:+.1} % of processors", 100.0 * (again.cpu() / among_many.cpu() - 1.0));
        println!(
            "of one product ÷ of many: {:.2} of the orders a second",
            of_one.times.rate() / among_many.times.rate()
        );
        let half = among_many.times.rate() / 2.0;
        let idle = self.arguments.idle_rate;
        self.measure(&format!("at {idle} a second"), alone, Manner::EachSecond(idle), &spread).await?;
        self.measure(&format!("at half of the load, {half:.0} a second"), many / 2, Manner::EachSecond(half), &spread)
            .await?;
        let hot = self.counting.hot_changes().await?;
        println!("of a hundred changes of an order {hot} are HOT");

        let mut is_over = by_itself.is_over(self.arguments.most_alone);
        is_over |= among_many.is_over(self.arguments.most_among_many);
        is_over |= hot < self.arguments.least_hot;
        if self.arguments.past.orders_before > 0 {
            is_over |= self.grow(&spread).await?;
        }
        if self.arguments.reservations > 0 {
            self.compare(&one, &spread).await?;
        }
        Ok(is_over)
    }

    async fn measure(
        &mut self,
        name: &str,
        count: usize,
        manner: Manner,
        products: &Products,
    ) -> Result<Measured, Failure> {
        pause(FIGURES).await;
        let (before, began) = (self.counting.now(&self.shop).await?, Instant::now());
        let times = self.buyers.place(count, manner, products).await?;
        pause(FIGURES).await;
        let (mut cost, counted) = (self.counting.now(&self.shop).await?.since(&before), began.elapsed());
        cost.commits -= times.looks;
        let measured = Measured { name: name.to_owned(), count, cost, times, counted };
        measured.print();
        Ok(measured)
    }

    async fn rest(&mut self) -> Result<Rest, Failure> {
        pause(FIGURES).await;
        let (before, began) = (self.counting.now(&self.shop).await?, Instant::now());
        pause(REST).await;
        Ok(Rest { cost: self.counting.now(&self.shop).await?.since(&before), time: began.elapsed() })
    }

    /// Measures with tables as they are and with full ones; answers whether an order costs more then.
    async fn grow(&mut self, products: &Products) -> Result<bool, Failure> {
        let (alone, many) = (self.arguments.alone, self.arguments.many);
        let at_once = Manner::AtOnce(self.arguments.at_once);
        let rest = self.rest().await?;
        let before = self.measure("alone, the tables small", alone, Manner::Alone, products).await?;

        let (past, began) = (self.arguments.past, Instant::now());
        past.fill(&self.shop).await?;
        let Past { orders_before, products_before } = past;
        println!("{orders_before} orders and {products_before} products are there now, after {:.0?}", began.elapsed());
        self.buyers.place(many / 4, at_once, products).await?;

        let rest_now = self.rest().await?;
        let now = self.measure("alone, the tables full", alone, Manner::Alone, products).await?;
        self.measure("among many, the tables full", many, at_once, products).await?;
        println!("an order alone, the tables small → full, without what goes on by itself");
        Ok(now.has_grown(&before, [&rest, &rest_now], self.arguments.most_growth))
    }

    /// Sets stock aside as product does, and with a row lock for each order. Nobody can order afterwards.
    async fn compare(&mut self, one: &Products, spread: &Products) -> Result<(), Failure> {
        let count = self.arguments.reservations;
        let row_lock = RowLock::new(&self.shop, PRODUCTS).await?;
        println!("orders that have their stock in a second, of one product and of many");
        let mut rates = Vec::new();
        for products in [one, spread] {
            let row_lock = row_lock.place(count, products.len()).await?;
            #[expect(clippy::cast_precision_loss, reason = "for people to read")]
            let row_lock = count as f64 / row_lock.as_secs_f64();
            let ours = reservations::measure(&mut self.shop, count, products).await?;
            rates.push((ours, row_lock));
        }
        for (name, rate) in ["one ", "many"].iter().zip(rates) {
            let (ours, row_lock) = rate;
            println!(
                "  of {name}       {ours:.0}, with a row lock {row_lock:.0}: {:.1} times as many",
                ours / row_lock
            );
        }
        Ok(())
    }
}
