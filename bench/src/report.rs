//! What is printed, and what ends a run with 1: counts over a budget, and counts that grow with what is in the tables. Times never.
#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]
#![expect(clippy::cast_precision_loss, reason = "for people to read")]

use std::time::Duration;

use crate::cost::Cost;
use crate::orders::Times;

/// By so many hundredths a count may differ between two runs of the same.
const SAME: f64 = 0.05;

/// What is counted of a cost.
type Count = fn(&Cost) -> f64;

/// What goes on by itself, for so long.
#[derive(Debug)]
pub struct Rest {
    /// What it costs.
    pub cost: Cost,
    /// How long.
    pub time: Duration,
}

/// What so many orders cost.
#[derive(Debug)]
pub struct Measured {
    /// In what circumstances.
    pub name: String,
    /// How many.
    pub count: usize,
    /// What they cost together.
    pub cost: Cost,
    /// How long they took.
    pub times: Times,
    /// How long was counted, a moment longer than they took.
    pub counted: Duration,
}

impl Measured {
    /// Round trips of an order.
    #[must_use]
    pub fn round_trips(&self) -> f64 {
        self.of_one(self.cost.all_round_trips() as f64)
    }

    /// Time of processors of an order, of all processes, in milliseconds.
    #[must_use]
    pub fn cpu(&self) -> f64 {
        self.cost.cpu.keys().map(|name| self.cpu_of(name)).sum()
    }

    /// For people to read.
    pub fn print(&self) {
        println!("an order {} ({} orders)", self.name, self.count);
        let trips = self.cost.round_trips.iter();
        let trips = trips.map(|(service, trips)| format!("{service} {:.1}", self.of_one(*trips as f64)));
        println!("  round trips   {:.1} ({})", self.round_trips(), trips.collect::<Vec<_>>().join(", "));
        println!(
            "  commits       {:.1}, flushes {:.2}, log {:.0} bytes, buffers {:.0}",
            self.of_one(self.cost.commits as f64),
            self.of_one(self.cost.flushes as f64),
            self.of_one(self.cost.log_bytes as f64),
            self.of_one(self.cost.buffers as f64)
        );
        let each = self.cost.cpu.keys().map(|name| format!("{name} {:.2}", self.cpu_of(name)));
        println!("  processors    {:.2} ms ({})", self.cpu(), each.collect::<Vec<_>>().join(", "));
        let [half, most] = [50, 99].map(|percent| self.times.percentile(percent));
        println!("  to paid       p50 {half:.0} ms, p99 {most:.0} ms; {:.0} orders a second", self.times.rate());
    }

    /// Whether round trips are more than they may be.
    #[must_use]
    pub fn is_over(&self, most: u64) -> bool {
        let is_over = self.round_trips() > most as f64;
        if is_over {
            println!("OVER: an order {} costs {:.1} round trips and may cost {most}", self.name, self.round_trips());
        }
        is_over
    }

    /// Whether an order costs more than the same did before, when the tables were small, without what went on by itself. Round trips
    /// and commits are to be the same; of shared buffers, so many hundredths more are well: trees have become higher.
    #[must_use]
    pub fn has_grown(&self, before: &Self, rests: [&Rest; 2], most_buffers: u8) -> bool {
        let counts: [(&str, Count, f64); 3] = [
            ("round trips", |cost| cost.all_round_trips() as f64, SAME),
            ("commits", |cost| cost.commits as f64, SAME),
            ("buffers", |cost| cost.buffers as f64, f64::from(most_buffers) / 100.0),
        ];
        let mut has_grown = false;
        for (name, count, most) in counts {
            let (was, is) = (before.without(rests[0], count), self.without(rests[1], count));
            let is_over = is > was * (1.0 + most);
            let verdict = if is_over { "OVER" } else { "well" };
            println!("  {name:12}  {was:.1} → {is:.1}, at most {:.0} % more: {verdict}", most * 100.0);
            has_grown |= is_over;
        }
        has_grown
    }

    /// Of one order, without what goes on by itself in as much time.
    fn without(&self, rest: &Rest, count: impl Fn(&Cost) -> f64) -> f64 {
        let by_itself = count(&rest.cost) * self.counted.as_secs_f64() / rest.time.as_secs_f64();
        self.of_one(count(&self.cost) - by_itself)
    }

    fn of_one(&self, whole: f64) -> f64 {
        whole / self.count as f64
    }

    fn cpu_of(&self, name: &str) -> f64 {
        self.of_one(self.cost.cpu[name].as_secs_f64() * 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ecommerce_contract::Service;

    use super::*;

    fn cost(round_trips: u64, commits: i64, buffers: i64) -> Cost {
        Cost { round_trips: BTreeMap::from([(Service::Order, round_trips)]), commits, buffers, ..Cost::default() }
    }

    fn measured(cost: Cost, seconds: u64) -> Measured {
        let counted = Duration::from_secs(seconds);
        Measured { name: "alone".to_owned(), count: 100, cost, times: Times::default(), counted }
    }

    #[test]
    fn a_round_trip_over_the_budget_is_one_too_many() {
        assert!(!measured(cost(3_000, 0, 0), 1).is_over(30));
        assert!(measured(cost(3_001, 0, 0), 1).is_over(30));
    }

    #[test]
    fn round_trips_and_commits_stay_as_they_were_and_buffers_may_be_a_few_more() {
        let nothing = Rest { cost: cost(0, 0, 0), time: Duration::from_secs(1) };
        let grows = |now: Cost| {
            let before = measured(cost(2_000, 1_000, 40_000), 1);
            measured(now, 1).has_grown(&before, [&nothing, &nothing], 20)
        };
        assert!(!grows(cost(2_050, 1_020, 47_900)));
        for grown in [cost(2_200, 1_000, 40_000), cost(2_000, 1_100, 40_000), cost(2_000, 1_000, 48_100)] {
            assert!(grows(grown.clone()), "{grown:?}");
        }
    }

    #[test]
    fn what_goes_on_by_itself_while_a_slower_machine_works_is_no_growth() {
        let rest = Rest { cost: cost(50, 20, 300), time: Duration::from_secs(5) };
        let before = measured(cost(2_100, 1_040, 40_600), 10);
        assert!(!measured(cost(2_500, 1_200, 43_000), 50).has_grown(&before, [&rest, &rest], 0));
    }
}
