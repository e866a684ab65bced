//! What the tables of each service say, and whether they say the same.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use ecommerce_contract::Service;
use ecommerce_contract::topology::{dead_letter_queue, queue};
use ecommerce_testing::{eventually, within};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::handled;
use crate::shop::{MUGS, Shop};

/// In less, what somebody left who died is taken over, and what nobody has paid ends.
pub(crate) const SOON: Duration = Duration::from_mins(2);

/// In less, product looks again for reservations that nobody has ended.
pub(crate) const LOOK: Duration = Duration::from_secs(30);

/// What must be nought once every order has ended.
const UNDER_WAY: [(Service, &str, &str); 6] = [
    (Service::Order, "orders open", "select count(*) from open_orders where pay_by is not null"),
    (Service::Payment, "attempts open", "select count(*) from open_attempts"),
    (Service::Product, "pieces reserved", "select reserved from stock"),
    (Service::Order, "events of order unsent", "select count(*) from outbox"),
    (Service::Product, "events of product unsent", "select count(*) from outbox"),
    (Service::Payment, "events of payment unsent", "select count(*) from outbox"),
];

/// What the provider holds of each order: what was captured and not given back, in minor units.
const HELD: &str = "
    select order_id, sum(charges.amount - coalesce(refunded, 0))::bigint
    from payments join attempts on payment_id = payments.id
      join simulator.charges on charges.key = attempts.id::text and charges.status = 'captured'
      left join (select charge_key, sum(amount) as refunded from simulator.refunds group by 1) as refunds
        on charge_key = charges.key
    group by order_id";
const HELD_IN_ALL: &str = "
    select (select coalesce(sum(amount), 0) from simulator.charges where status = 'captured')::bigint
         - (select coalesce(sum(amount), 0) from simulator.refunds)::bigint";

const CHARGED_TWICE: &str = "
    select coalesce(sum(times - 1), 0)::bigint from (
      select count(*) as times from simulator.charges join attempts on attempts.id::text = charges.key
      where charges.status = 'captured' group by payment_id) as charged";

/// How orders have ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) paid: usize,
    pub(crate) closed: usize,
}

impl Shop {
    /// Waits until every order has come to an end, all that was written was published and handled, and all books say the same.
    pub(crate) async fn settles(&mut self) -> Ends {
        let mut last = String::new();
        let settled = async {
            loop {
                match self.unsettled().await {
                    Some(why) => last = why,
                    None => return,
                }
            }
        };
        let settled = tokio::time::timeout(SOON, settled).await;
        assert!(settled.is_ok(), "after {SOON:?} it is still so: {last}");
        within(LOOK, "no reservation is past its deadline", || async {
            (self.reservations_past_deadline().await == Some(0)).then_some(())
        })
        .await;
        let paid: BTreeMap<Uuid, bool> = self.rows(Service::Order, "select id, status = 'paid' from orders").await;
        let count = paid.values().filter(|is_paid| **is_paid).count();
        Ends { paid: count, closed: paid.len() - count }
    }

    /// Nothing is with anybody who may give it back, and nothing was given up.
    pub(crate) async fn is_all_acknowledged(&self) {
        for service in Service::WITH_BROKER {
            let what = format!("{service} has acknowledged all");
            eventually(&what, || async { (self.broker.depth(queue(service)).await == Some(0)).then_some(()) }).await;
            assert_eq!(self.broker.waiting(&dead_letter_queue(service)).await, 0, "dead letters of {service}");
        }
    }

    /// Why it is not over.
    async fn unsettled(&mut self) -> Option<String> {
        for (service, what, query) in UNDER_WAY {
            let count = self.count(service, query).await;
            if count != 0 {
                return Some(format!("{count} {what}"));
            }
        }
        if !self.conditions.loses_queues
            && let Some(why) = self.unhandled().await
        {
            return Some(why);
        }
        self.disagreement().await
    }

    /// What was written and not published, or not handled.
    async fn unhandled(&mut self) -> Option<String> {
        let mut written = HashSet::new();
        for service in Service::WITH_BROKER {
            written.extend(self.rows::<bool>(service, "select id, true from written").await.into_keys());
        }
        let published = self.published().await;
        if *published != written {
            return Some(format!("published: {published:?}; written: {written:?}"));
        }
        let missing = handled::missing_of(&written);
        (!missing.is_empty()).then(|| format!("not handled: {missing:?}"))
    }

    /// How many orders hold a mug that nobody has bought.
    pub(crate) async fn reserved(&self) -> i64 {
        self.count(Service::Product, "select reserved from stock").await
    }

    /// How many orders nobody has paid or ended.
    pub(crate) async fn open_orders(&self) -> i64 {
        let (service, _, query) = UNDER_WAY[0];
        self.count(service, query).await
    }

    /// How many orders have ended without a sale.
    pub(crate) async fn ended(&self) -> i64 {
        self.count(
            Service::Order,
            "select count(*) from orders where status not in ('pending', 'awaiting_payment', 'paid')",
        )
        .await
    }

    /// How many charges the provider is to be called for.
    pub(crate) async fn charges_under_way(&self) -> i64 {
        self.count(Service::Payment, "select count(*) from open_attempts").await
    }

    /// How many payments payment has captured, whether or not order has heard.
    pub(crate) async fn captured(&self) -> i64 {
        self.count(Service::Payment, "select count(*) from payments where status = 'captured'").await
    }

    /// How many charges have taken money for an order that has paid before.
    pub(crate) async fn charged_twice(&self) -> i64 {
        self.count(Service::Payment, CHARGED_TWICE).await
    }

    /// Where two books differ.
    async fn disagreement(&self) -> Option<String> {
        let totals = "select id, case when status = 'paid' then total else 0 end from orders";
        let totals: BTreeMap<Uuid, i64> = self.rows(Service::Order, totals).await;
        let sold: BTreeMap<Uuid, bool> =
            self.rows(Service::Product, "select order_id, state = 'sold' from reservations").await;
        let kept = "select order_id, amount_captured - amount_refunded from payments";
        let kept: BTreeMap<Uuid, i64> = self.rows(Service::Payment, kept).await;
        let held: BTreeMap<Uuid, i64> = self.rows(Service::Payment, HELD).await;
        for (id, total) in &totals {
            let is_sold = sold.get(id).copied().unwrap_or_default();
            let kept = kept.get(id).copied().unwrap_or_default();
            let held = held.get(id).copied().unwrap_or_default();
            if (is_sold, kept, held) != (*total > 0, *total, *total) {
                return Some(format!("order {id} of {total}: sold {is_sold}, kept {kept}, held {held}"));
            }
        }
        let (in_all, of_orders) = (self.count(Service::Payment, HELD_IN_ALL).await, held.values().sum::<i64>());
        if in_all != of_orders {
            return Some(format!("the provider holds {in_all}, of orders {of_orders}"));
        }
        let sold = i64::try_from(sold.values().filter(|is_sold| **is_sold).count()).unwrap();
        let left = self.count(Service::Product, "select on_hand from stock").await;
        (left + sold != MUGS).then(|| format!("{sold} mugs are sold and {left} left, of {MUGS}"))
    }

    async fn rows<T>(&self, service: Service, query: &'static str) -> BTreeMap<Uuid, T>
    where
        (Uuid, T): for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> + Send + Unpin,
    {
        let rows: Vec<(Uuid, T)> =
            sqlx::query_as(AssertSqlSafe(query)).fetch_all(&self.databases[&service].pool).await.unwrap();
        rows.into_iter().collect()
    }

    async fn count(&self, service: Service, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.databases[&service].pool).await.unwrap()
    }
}
