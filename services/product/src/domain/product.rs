//! A product, and the words it is described with.

use std::collections::BTreeMap;

use ecommerce_types::{Currency, Invalid, Money, ProductId, Sku, is_printable, one_line};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A product as everybody may see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Product {
    /// Its id.
    pub(crate) id: ProductId,
    /// The shop's own name for it.
    pub(crate) sku: Sku,
    /// What it is called.
    pub(crate) name: ProductName,
    /// What there is to say about it.
    pub(crate) description: Description,
    /// Where it is found; null when it is in no category.
    #[schema(required)]
    pub(crate) category: Option<Category>,
    /// Its properties.
    pub(crate) attributes: Attributes,
    /// What one piece costs.
    #[schema(value_type = Money)]
    pub(crate) price: Price,
    /// How many can be had.
    pub(crate) stock: Available,
    /// Grows by one with each change of its description or price; sales do not change it.
    pub(crate) version: i64,
}

/// How many pieces can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Available {
    /// Pieces that are there and not set aside for anybody.
    #[schema(example = 5)]
    pub(crate) available: i64,
}

/// What a product is called: 1 to 200 visible characters on one line; spaces around it are dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 200, example = "Blue mug")]
pub(crate) struct ProductName(String);

impl ProductName {
    /// The text.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ProductName {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        match one_line(&text, 200) {
            Some(text) => Ok(Self(text)),
            None => Err(Invalid("a name is 1 to 200 characters on one line, all of them visible")),
        }
    }
}

impl From<ProductName> for String {
    fn from(name: ProductName) -> Self {
        name.0
    }
}

/// What there is to say about a product: up to 10,000 characters, lines and all; may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, max_length = 10_000, example = "Holds a third of a litre.")]
pub(crate) struct Description(String);

impl Description {
    /// The text.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Description {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let allowed = |letter: char| !letter.is_control() || matches!(letter, '\n' | '\r' | '\t');
        if text.chars().count() <= 10_000 && text.chars().all(allowed) {
            Ok(Self(text))
        } else {
            Err(Invalid("a description has at most 10000 characters, and no control characters but tabs and line ends"))
        }
    }
}

impl From<Description> for String {
    fn from(description: Description) -> Self {
        description.0
    }
}

/// Where a product is found: 1 to 100 visible characters on one line; spaces around it are dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 100, example = "kitchen")]
pub(crate) struct Category(String);

impl Category {
    /// The text.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Category {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        match one_line(&text, 100) {
            Some(text) => Ok(Self(text)),
            None => Err(Invalid("a category is 1 to 100 characters on one line, all of them visible")),
        }
    }
}

impl From<Category> for String {
    fn from(category: Category) -> Self {
        category.0
    }
}

/// A product's properties: up to 50, each a text, a number or a truth value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "BTreeMap<String, Value>", into = "BTreeMap<String, Value>")]
#[schema(value_type = BTreeMap<String, Value>, example = json!({ "colour": "blue", "height_mm": 95 }))]
pub(crate) struct Attributes(BTreeMap<String, Value>);

impl TryFrom<BTreeMap<String, Value>> for Attributes {
    type Error = Invalid;

    fn try_from(properties: BTreeMap<String, Value>) -> Result<Self, Invalid> {
        let value_allowed = |value: &Value| match value {
            Value::String(text) => text.chars().count() <= 1_000 && is_printable(text),
            Value::Bool(_) | Value::Number(_) => true,
            Value::Null | Value::Array(_) | Value::Object(_) => false,
        };
        let allowed = |(name, value): (&String, &Value)| one_line(name, 100).is_some() && value_allowed(value);
        if properties.len() <= 50 && properties.iter().all(allowed) {
            Ok(Self(properties))
        } else {
            Err(Invalid("attributes are up to 50 texts (of at most 1000 characters), numbers and truth values by name"))
        }
    }
}

impl From<Attributes> for BTreeMap<String, Value> {
    fn from(attributes: Attributes) -> Self {
        attributes.0
    }
}

/// What one piece costs: 1 to 1,000,000,000,000 minor units. No payment provider takes nothing, and thousands of pieces at the
/// largest price are still a total that can be written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Money", into = "Money")]
pub(crate) struct Price(Money);

impl Price {
    /// Minor units.
    #[must_use]
    pub(crate) fn amount(self) -> i64 {
        self.0.amount()
    }

    /// The currency.
    #[must_use]
    pub(crate) fn currency(self) -> Currency {
        self.0.currency()
    }
}

impl TryFrom<Money> for Price {
    type Error = Invalid;

    fn try_from(money: Money) -> Result<Self, Invalid> {
        if (1..=1_000_000_000_000).contains(&money.amount()) {
            Ok(Self(money))
        } else {
            Err(Invalid("a price is 1 to 1000000000000 minor units of its currency"))
        }
    }
}

impl From<Price> for Money {
    fn from(price: Price) -> Self {
        price.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_is_one_line_and_loses_the_spaces_around_it() {
        assert_eq!(String::from(ProductName::try_from(" Blue mug ".to_owned()).unwrap()), "Blue mug");
        for wrong in ["", "  ", "a\nb", "a\0b", &"x".repeat(201)] {
            assert!(ProductName::try_from(wrong.to_owned()).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_description_has_lines_but_nothing_that_a_database_refuses() {
        assert!(Description::try_from("two\nlines".to_owned()).is_ok());
        assert!(Description::try_from("nul\0".to_owned()).is_err());
        assert!(Description::try_from("x".repeat(10_001)).is_err());
    }

    #[test]
    fn attributes_are_flat() {
        let parse = |json: Value| serde_json::from_value::<Attributes>(json);
        assert!(parse(json!({ "colour": "blue", "height_mm": 95, "dishwasher": true })).is_ok());
        for wrong in
            [json!({ "a": null }), json!({ "a": [] }), json!({ "a": {} }), json!({ "": 1 }), json!({ "a": "\0" })]
        {
            assert!(parse(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn nothing_is_free_and_nothing_is_dearer_than_can_be_added_up() {
        let price = |amount| Price::try_from(Money::new(amount, "EUR".parse().unwrap()).unwrap());
        assert!(price(1).is_ok());
        for wrong in [0, 1_000_000_000_001] {
            assert!(price(wrong).is_err(), "{wrong}");
        }
    }
}
