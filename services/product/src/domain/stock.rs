//! The stock of one product.

use ecommerce_types::{Invalid, one_line};
use serde::{Deserialize, Serialize};

/// The pieces of one product; never more reserved than are there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stock {
    /// Pieces in the warehouse, reserved ones included.
    pub(crate) on_hand: i64,
    /// Pieces set aside for orders that are not paid yet.
    pub(crate) reserved: i64,
}

/// Why a stock is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// There would be fewer pieces than are promised.
    #[error("{reserved} pieces are reserved for orders that wait for their payment")]
    BelowReserved {
        /// The pieces that are promised.
        reserved: i64,
    },
    /// There would be more pieces than a shop can have.
    #[error("a stock has at most 1000000000 pieces")]
    TooMany,
}

impl Stock {
    /// Pieces that can be had.
    #[must_use]
    pub(crate) fn available(self) -> i64 {
        self.on_hand - self.reserved
    }

    /// The stock after a count has found `on_hand` pieces.
    pub(crate) fn counted(self, on_hand: OnHand) -> Result<Self, Refused> {
        if on_hand.0 < self.reserved {
            return Err(Refused::BelowReserved { reserved: self.reserved });
        }
        Ok(Self { on_hand: on_hand.0, ..self })
    }

    /// The stock after pieces came or went.
    pub(crate) fn adjusted(self, by: Pieces) -> Result<Self, Refused> {
        let on_hand = self.on_hand + by.0;
        if on_hand < self.reserved {
            return Err(Refused::BelowReserved { reserved: self.reserved });
        }
        if on_hand > OnHand::MAX {
            return Err(Refused::TooMany);
        }
        Ok(Self { on_hand, ..self })
    }

    /// The stock after `quantity` pieces are set aside; `None` when there are not so many.
    #[must_use]
    pub(crate) fn reserve(self, quantity: i64) -> Option<Self> {
        (quantity <= self.available()).then(|| Self { reserved: self.reserved + quantity, ..self })
    }

    /// The stock after pieces that were set aside can be had again.
    #[must_use]
    pub(crate) fn release(self, quantity: i64) -> Self {
        Self { reserved: self.reserved - quantity, ..self }
    }

    /// The stock after pieces that were set aside have left.
    #[must_use]
    pub(crate) fn sell(self, quantity: i64) -> Self {
        Self { on_hand: self.on_hand - quantity, reserved: self.reserved - quantity }
    }

    /// The stock after pieces that were sold have come back.
    #[must_use]
    pub(crate) fn take_back(self, quantity: i64) -> Self {
        Self { on_hand: self.on_hand + quantity, ..self }
    }
}

/// What a count may find: 0 to 1,000,000,000 pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "i64", into = "i64")]
#[schema(value_type = i64, minimum = 0, maximum = 1_000_000_000, example = 5)]
pub(crate) struct OnHand(i64);

impl OnHand {
    /// The largest number of pieces.
    pub(crate) const MAX: i64 = 1_000_000_000;
}

impl TryFrom<i64> for OnHand {
    type Error = Invalid;

    fn try_from(pieces: i64) -> Result<Self, Invalid> {
        if (0..=Self::MAX).contains(&pieces) {
            Ok(Self(pieces))
        } else {
            Err(Invalid("the pieces on hand are 0 to 1000000000"))
        }
    }
}

impl From<OnHand> for i64 {
    fn from(on_hand: OnHand) -> Self {
        on_hand.0
    }
}

/// Pieces that come (positive) or go (negative): up to 1,000,000,000, and not none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "i64", into = "i64")]
#[schema(value_type = i64, minimum = -1_000_000_000, maximum = 1_000_000_000, example = -1)]
pub(crate) struct Pieces(i64);

impl TryFrom<i64> for Pieces {
    type Error = Invalid;

    fn try_from(pieces: i64) -> Result<Self, Invalid> {
        if pieces != 0 && (-OnHand::MAX..=OnHand::MAX).contains(&pieces) {
            Ok(Self(pieces))
        } else {
            Err(Invalid("an adjustment is by -1000000000 to 1000000000 pieces, and not by 0"))
        }
    }
}

impl From<Pieces> for i64 {
    fn from(pieces: Pieces) -> Self {
        pieces.0
    }
}

/// Why a stock was adjusted: 1 to 200 visible characters on one line; spaces around it are dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 200, example = "broken in the warehouse")]
pub(crate) struct Reason(String);

impl Reason {
    /// The text.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Reason {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        match one_line(&text, 200) {
            Some(text) => Ok(Self(text)),
            None => Err(Invalid("a reason is 1 to 200 characters on one line, all of them visible")),
        }
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOCK: Stock = Stock { on_hand: 5, reserved: 2 };

    #[test]
    fn a_count_below_what_is_promised_is_refused() {
        assert_eq!(STOCK.counted(OnHand(1)), Err(Refused::BelowReserved { reserved: 2 }));
        assert_eq!(STOCK.counted(OnHand(2)).unwrap().available(), 0);
    }

    #[test]
    fn an_adjustment_below_what_is_promised_or_above_what_fits_is_refused() {
        assert_eq!(STOCK.adjusted(Pieces(-4)), Err(Refused::BelowReserved { reserved: 2 }));
        assert_eq!(STOCK.adjusted(Pieces(-3)).unwrap().available(), 0);
        assert_eq!(STOCK.adjusted(Pieces(OnHand::MAX)), Err(Refused::TooMany));
        assert!(Pieces::try_from(0).is_err());
    }

    #[test]
    fn what_is_reserved_cannot_be_reserved_again() {
        assert_eq!(STOCK.reserve(4), None);
        assert_eq!(STOCK.reserve(3), Some(Stock { on_hand: 5, reserved: 5 }));
    }

    #[test]
    fn a_sale_that_comes_back_leaves_what_was_there_before() {
        let stock = Stock { on_hand: 5, reserved: 0 };
        assert_eq!(stock.reserve(2).unwrap().sell(2).take_back(2), stock);
        assert_eq!(stock.reserve(2).unwrap().release(2), stock);
        assert_eq!(stock.reserve(2).unwrap().available(), stock.reserve(2).unwrap().sell(2).available());
    }
}
