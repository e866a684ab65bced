//! What a customer wants to order, before it has prices.

use std::collections::{BTreeMap, BTreeSet};

use ecommerce_contract::catalogue::Orderable;
use ecommerce_types::{Money, OrderId, ProductId, Quantity, UserId};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::{Line, Metadata, Order, Status};

/// The most lines of one order.
pub(crate) const MAX_LINES: usize = 100;
const MAX_PAYMENT_METHOD: usize = 255;

/// A product and how many of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Item {
    /// The product.
    pub(crate) product_id: ProductId,
    /// How many pieces.
    pub(crate) quantity: Quantity,
}

/// Why something is no order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unplaceable {
    /// Nothing, or too much, is ordered.
    #[error("an order has 1 to 100 items")]
    Lines,
    /// One product stands in two items.
    #[error("each product stands in one item; add the quantities up")]
    Twice,
    /// The catalogue has no price of these.
    #[error("these products are not for sale: {}", list(.0))]
    Unknown(Vec<ProductId>),
    /// The prices are in different currencies.
    #[error("all products of an order have the same currency; place an order for each")]
    Currencies,
    /// The sum does not fit.
    #[error("the order's total is larger than can be paid")]
    Total,
    /// The payment method is no token.
    #[error("a payment method is a token of 1 to 255 visible ASCII characters")]
    PaymentMethod,
}

fn list(products: &[ProductId]) -> String {
    products.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Unplaceable {
    /// The stable word of the answer.
    #[must_use]
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Lines => "invalid_items",
            Self::Twice => "duplicate_product",
            Self::Unknown(_) => "unknown_product",
            Self::Currencies => "mixed_currencies",
            Self::Total => "total_too_large",
            Self::PaymentMethod => "invalid_payment_method",
        }
    }
}

/// Items that could become an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    items: Vec<Item>,
    payment_method: Option<String>,
    metadata: Metadata,
}

impl Draft {
    /// Checks what can be checked without prices.
    pub(crate) fn new(
        items: Vec<Item>,
        payment_method: Option<String>,
        metadata: Metadata,
    ) -> Result<Self, Unplaceable> {
        if !(1..=MAX_LINES).contains(&items.len()) {
            return Err(Unplaceable::Lines);
        }
        let products: BTreeSet<ProductId> = items.iter().map(|item| item.product_id).collect();
        if products.len() < items.len() {
            return Err(Unplaceable::Twice);
        }
        let is_token = |method: &String| {
            (1..=MAX_PAYMENT_METHOD).contains(&method.len()) && method.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if !payment_method.as_ref().is_none_or(is_token) {
            return Err(Unplaceable::PaymentMethod);
        }
        Ok(Self { items, payment_method, metadata })
    }

    /// The products whose prices are needed.
    pub(crate) fn products(&self) -> impl Iterator<Item = ProductId> + '_ {
        self.items.iter().map(|item| item.product_id)
    }

    /// The order at these prices.
    pub(crate) fn price(
        self,
        catalogue: &[Orderable],
        id: OrderId,
        customer_id: UserId,
        now: OffsetDateTime,
        time_to_pay: Duration,
    ) -> Result<Order, Unplaceable> {
        let on_sale: BTreeMap<ProductId, &Orderable> = catalogue.iter().map(|product| (product.id, product)).collect();
        let unknown = || self.products().filter(|id| !on_sale.contains_key(id)).collect();
        let mut lines = Vec::with_capacity(self.items.len());
        let mut total: Option<Money> = None;
        for item in &self.items {
            let product = *on_sale.get(&item.product_id).ok_or_else(|| Unplaceable::Unknown(unknown()))?;
            let price = product.price.times(item.quantity).ok_or(Unplaceable::Total)?;
            total = Some(match total {
                None => price,
                Some(sum) if sum.currency() != price.currency() => return Err(Unplaceable::Currencies),
                Some(sum) => sum.plus(price).ok_or(Unplaceable::Total)?,
            });
            lines.push(Line {
                product_id: item.product_id,
                sku: product.sku.as_str().to_owned(),
                name: product.name.clone(),
                quantity: item.quantity,
                unit_price: product.price,
            });
        }
        Ok(Order {
            id,
            customer_id,
            status: Status::Pending,
            version: 1,
            lines,
            total: total.ok_or(Unplaceable::Lines)?,
            payment_method: self.payment_method,
            payment_id: None,
            pay_by: now + time_to_pay,
            amount_refunded: 0,
            reason: None,
            metadata: self.metadata,
            created_at: now,
            updated_at: now,
        })
    }
}

#[cfg(test)]
mod tests {
    use ecommerce_types::Clock;

    use super::*;

    fn product(amount: i64, currency: &str) -> Orderable {
        let id = ProductId::new(&Clock::system());
        let sku = format!("SKU-{id}").try_into().unwrap();
        Orderable { id, sku, name: "Mug".to_owned(), price: Money::new(amount, currency.parse().unwrap()).unwrap() }
    }

    fn item(product: &Orderable, quantity: i64) -> Item {
        Item { product_id: product.id, quantity: Quantity::new(quantity).unwrap() }
    }

    fn price(items: Vec<Item>, catalogue: &[Orderable]) -> Result<Order, Unplaceable> {
        let clock = Clock::system();
        let draft = Draft::new(items, None, Metadata::default())?;
        draft.price(catalogue, OrderId::new(&clock), UserId::new(&clock), clock.now(), Duration::minutes(15))
    }

    #[test]
    fn the_total_is_the_sum_of_the_lines() {
        let (mug, pen) = (product(1250, "EUR"), product(99, "EUR"));
        let order = price(vec![item(&mug, 2), item(&pen, 3)], &[mug, pen]).unwrap();
        assert_eq!(order.total.amount(), 2 * 1250 + 3 * 99);
        assert_eq!(order.status, Status::Pending);
    }

    #[test]
    fn what_is_no_order_is_refused() {
        let (mug, dollar) = (product(1250, "EUR"), product(1, "USD"));
        let dear = product(1_000_000_000_000, "IDR");
        assert_eq!(price(vec![], &[]).unwrap_err(), Unplaceable::Lines);
        assert_eq!(
            price(vec![item(&mug, 1), item(&mug, 1)], std::slice::from_ref(&mug)).unwrap_err(),
            Unplaceable::Twice
        );
        assert_eq!(price(vec![item(&mug, 1), item(&dollar, 1)], &[mug, dollar]).unwrap_err(), Unplaceable::Currencies);
        assert_eq!(price(vec![item(&dear, 1_000_000)], &[dear]).unwrap_err(), Unplaceable::Total);
    }

    #[test]
    fn a_product_that_the_catalogue_does_not_name_is_named_back() {
        let (mug, gone) = (product(1250, "EUR"), product(99, "EUR"));
        let refusal = price(vec![item(&mug, 1), item(&gone, 1)], &[mug]).unwrap_err();
        assert_eq!(refusal.to_string(), format!("these products are not for sale: {}", gone.id));
    }
}
