//! Amounts of money.

use serde::{Deserialize, Serialize};

use crate::{Currency, Invalid, Quantity};

/// An amount in the smallest unit of its currency, from nothing to 2^53 − 1 of them: `{"amount": 1250, "currency": "EUR"}` is
/// 12.50 €.
///
/// Beyond that many, a reader of JSON that keeps numbers as doubles, as every browser does, reads another amount than was
/// written (RFC 8259, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "Unchecked", deny_unknown_fields)]
pub struct Money {
    /// Minor units of the currency.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, example = 1250)]
    amount: i64,
    /// The currency's ISO 4217 letters.
    currency: Currency,
}

/// Money as somebody has written it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    amount: i64,
    currency: Currency,
}

impl Money {
    /// The largest amount: 2^53 − 1 minor units.
    pub const MAX: i64 = (1 << 53) - 1;

    /// So many minor units of this currency.
    pub fn new(amount: i64, currency: Currency) -> Result<Self, Invalid> {
        if (0..=Self::MAX).contains(&amount) {
            Ok(Self { amount, currency })
        } else {
            Err(Invalid("an amount is 0 to 9007199254740991 minor units of its currency"))
        }
    }

    /// Minor units of the currency.
    #[must_use]
    pub fn amount(self) -> i64 {
        self.amount
    }

    /// The currency.
    #[must_use]
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// The price of `quantity` of these; `None` when that is too much.
    #[must_use]
    pub fn times(self, quantity: Quantity) -> Option<Self> {
        let amount = self.amount.checked_mul(i64::from(quantity.get()))?;
        Self::new(amount, self.currency).ok()
    }

    /// The sum; `None` when the currencies differ or it is too much.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        if self.currency != other.currency {
            return None;
        }
        let amount = self.amount.checked_add(other.amount)?;
        Self::new(amount, self.currency).ok()
    }
}

impl TryFrom<Unchecked> for Money {
    type Error = Invalid;

    fn try_from(unchecked: Unchecked) -> Result<Self, Invalid> {
        Self::new(unchecked.amount, unchecked.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest integer that a double holds and none of its neighbours shares.
    const EXACT: i64 = 9_007_199_254_740_991;

    fn euro(amount: i64) -> Money {
        Money::new(amount, "EUR".parse().unwrap()).unwrap()
    }

    #[test]
    fn currencies_do_not_mix() {
        let dollar = Money::new(1, "USD".parse().unwrap()).unwrap();
        assert_eq!(euro(1).plus(dollar), None);
        assert_eq!(euro(1).plus(euro(2)), Some(euro(3)));
    }

    #[test]
    fn what_some_reader_of_json_would_round_is_no_amount() {
        for wrong in [i64::MIN, -1, EXACT + 1, i64::MAX] {
            assert!(Money::new(wrong, "EUR".parse().unwrap()).is_err(), "{wrong}");
            let json = format!(r#"{{"amount": {wrong}, "currency": "EUR"}}"#);
            let refused = serde_json::from_str::<Money>(&json).unwrap_err();
            assert!(refused.to_string().contains("9007199254740991"), "{refused}");
        }
        assert_eq!(euro(EXACT).times(Quantity::new(1).unwrap()), Some(euro(EXACT)));
        assert_eq!(euro(EXACT).times(Quantity::new(2).unwrap()), None);
        assert_eq!(euro(EXACT - 1).plus(euro(1)), Some(euro(EXACT)));
        assert_eq!(euro(EXACT).plus(euro(1)), None);
    }

    #[test]
    fn totals_in_rupiah_pass_what_32_bits_hold() {
        let rupiah = Money::new(1_500_000_000, "IDR".parse().unwrap()).unwrap();
        assert_eq!(rupiah.times(Quantity::new(3).unwrap()).unwrap().amount(), 4_500_000_000);
        let dear = Money::new(1_000_000_000_000, "IDR".parse().unwrap()).unwrap();
        assert_eq!(dear.times(Quantity::new(1_000_000).unwrap()), None);
    }

    #[test]
    fn in_json_money_is_its_two_fields_and_no_others() {
        let json = r#"{"amount":1250,"currency":"EUR"}"#;
        assert_eq!(serde_json::to_string(&serde_json::from_str::<Money>(json).unwrap()).unwrap(), json);
        for wrong in
            [r#"{"amount":1250}"#, r#"{"amount":12.5,"currency":"EUR"}"#, r#"{"amount":1,"currency":"EUR","vat":1}"#]
        {
            assert!(serde_json::from_str::<Money>(wrong).is_err(), "{wrong}");
        }
    }
}
