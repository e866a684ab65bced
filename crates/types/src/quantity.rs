//! How many of a thing.

use serde::{Deserialize, Serialize};

use crate::Invalid;

/// From 1 to 1,000,000 pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "i64", into = "i64")]
#[schema(value_type = i64, minimum = 1, maximum = 1_000_000, example = 2)]
pub struct Quantity(i32);

impl Quantity {
    /// The largest quantity of one line.
    pub const MAX: i32 = 1_000_000;

    /// A quantity, when the number is one.
    pub fn new(number: i64) -> Result<Self, Invalid> {
        match i32::try_from(number) {
            Ok(number) if (1..=Self::MAX).contains(&number) => Ok(Self(number)),
            _ => Err(Invalid("a quantity is a whole number from 1 to 1000000")),
        }
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> i32 {
        self.0
    }
}

impl TryFrom<i64> for Quantity {
    type Error = Invalid;

    fn try_from(number: i64) -> Result<Self, Invalid> {
        Self::new(number)
    }
}

impl From<Quantity> for i64 {
    fn from(quantity: Quantity) -> Self {
        Self::from(quantity.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_and_less_are_no_quantity() {
        for wrong in [i64::MIN, -1, 0, 1_000_001, i64::MAX] {
            assert!(Quantity::new(wrong).is_err(), "{wrong}");
        }
        assert!(serde_json::from_str::<Quantity>("1.5").is_err());
        assert_eq!(serde_json::from_str::<Quantity>("3").unwrap().get(), 3);
    }
}
