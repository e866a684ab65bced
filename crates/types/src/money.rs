//! Amounts of money.

use serde::{Deserialize, Serialize};

use crate::{Currency, Quantity};

/// An amount in the smallest unit of its currency: `{"amount": 1250, "currency": "EUR"}` is 12.50 €.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Minor units; may be zero. What may not be negative says so where it is accepted.
    #[schema(example = 1250)]
    pub amount: i64,
    /// The currency's ISO 4217 letters.
    pub currency: Currency,
}

impl Money {
    /// The price of `quantity` of these; `None` when that does not fit.
    #[must_use]
    pub fn times(self, quantity: Quantity) -> Option<Self> {
        let amount = self.amount.checked_mul(i64::from(quantity.get()))?;
        Some(Self { amount, ..self })
    }

    /// The sum; `None` when the currencies differ or it does not fit.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        if self.currency != other.currency {
            return None;
        }
        let amount = self.amount.checked_add(other.amount)?;
        Some(Self { amount, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn euro(amount: i64) -> Money {
        Money { amount, currency: "EUR".parse().unwrap() }
    }

    #[test]
    fn currencies_do_not_mix() {
        let dollar = Money { amount: 1, currency: "USD".parse().unwrap() };
        assert_eq!(euro(1).plus(dollar), None);
        assert_eq!(euro(1).plus(euro(2)), Some(euro(3)));
    }

    #[test]
    fn what_does_not_fit_is_no_amount() {
        assert_eq!(euro(i64::MAX).times(Quantity::new(2).unwrap()), None);
        assert_eq!(euro(i64::MAX).plus(euro(1)), None);
    }
}
