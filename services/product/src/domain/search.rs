//! What somebody asks the catalogue for.

use ecommerce_types::{Cursor, Invalid, ProductId, Sku};
use serde::{Deserialize, Serialize};

use crate::domain::{Category, Product};

/// What somebody typed to find a product: up to 200 characters. Text and nothing else; what is no letter and no digit ends a word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, max_length = 200, example = "blue mug")]
pub(crate) struct Typed(String);

impl Typed {
    /// The text.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing was typed: as if nobody had asked.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<String> for Typed {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        if text.chars().count() > 200 {
            return Err(Invalid("q is at most 200 characters"));
        }
        let spaced: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        Ok(Self(spaced.trim().to_owned()))
    }
}

impl From<Typed> for String {
    fn from(typed: Typed) -> Self {
        typed.0
    }
}

/// A word that was typed, and words of the catalogue that it may stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) typed: String,
    /// Those that begin with it, itself among them, the shortest first; not all of them.
    pub(crate) begun: Vec<String>,
    /// Where there is none, those that differ from it by a few letters.
    pub(crate) meant: Vec<String>,
}

/// What PostgreSQL is to look for (`tsquery`): all words, or what they stand for. None without words.
#[must_use]
pub(crate) fn tsquery(words: &[Word]) -> Option<String> {
    let all: Vec<String> = words.iter().map(any_of).collect();
    (!all.is_empty()).then(|| all.join(" & "))
}

/// What only descriptions and skus have is looked up by its beginning. For others that would be slow: whatever begins with a common word
/// is gathered before it is met with the rest.
fn any_of(word: &Word) -> String {
    let Word { typed, begun, meant } = word;
    let is_beginning = begun.is_empty() && typed.chars().count() > 1;
    let typed_itself = format!("{}{}", quoted(typed), if is_beginning { ":*" } else { "" });
    let others = begun.iter().chain(meant).filter(|other| *other != typed).map(|other| quoted(other));
    let any: Vec<String> = std::iter::once(typed_itself).chain(others).collect();
    format!("({})", any.join(" | "))
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\\', "\\\\").replace('\'', "''"))
}

/// A price to compare with: 0 to 1,000,000,000,000 minor units, whatever the currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "i64", into = "i64")]
#[schema(value_type = i64, minimum = 0, maximum = 1_000_000_000_000_i64, example = 1000)]
pub(crate) struct PriceBound(i64);

impl TryFrom<i64> for PriceBound {
    type Error = Invalid;

    fn try_from(amount: i64) -> Result<Self, Invalid> {
        if (0..=1_000_000_000_000).contains(&amount) {
            Ok(Self(amount))
        } else {
            Err(Invalid("a price to compare with is 0 to 1000000000000 minor units"))
        }
    }
}

impl From<PriceBound> for i64 {
    fn from(bound: PriceBound) -> Self {
        bound.0
    }
}

/// What a product has to be to be on a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Wanted {
    pub(crate) typed: Option<Typed>,
    pub(crate) sku: Option<Sku>,
    pub(crate) category: Option<Category>,
    pub(crate) min_price: Option<PriceBound>,
    pub(crate) max_price: Option<PriceBound>,
}

/// The sequence of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) enum Sort {
    /// What fits `q` best first; the newest of those that fit as well.
    #[serde(rename = "relevance")]
    Relevance,
    /// The newest first.
    #[serde(rename = "newest")]
    Newest,
    /// The cheapest first.
    #[serde(rename = "price")]
    Price,
    /// The dearest first.
    #[serde(rename = "-price")]
    PriceDescending,
    /// By name, capitals or not.
    #[serde(rename = "name")]
    Name,
}

/// Where a product stands in a list: the key of its sequence, and the id where that is the same for several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Position {
    Relevance(i64, ProductId),
    Newest(ProductId),
    Price(i64, ProductId),
    PriceDescending(i64, ProductId),
    Name(String, ProductId),
}

impl Position {
    /// Where a page of a list of this sequence begins.
    pub(crate) fn of(cursor: &Cursor, sort: Sort) -> Result<Self, Invalid> {
        let position: Self = cursor.key()?;
        if position.sort() == sort { Ok(position) } else { Err(Invalid("this cursor is of a list with another sort")) }
    }

    fn sort(&self) -> Sort {
        match self {
            Self::Relevance(..) => Sort::Relevance,
            Self::Newest(_) => Sort::Newest,
            Self::Price(..) => Sort::Price,
            Self::PriceDescending(..) => Sort::PriceDescending,
            Self::Name(..) => Sort::Name,
        }
    }
}

/// A product on a list, with what it is sorted by beside its price.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) product: Product,
    /// How well it fits what was typed; 0 where nothing was.
    pub(crate) rank: i64,
    /// Its name in small letters, as the database writes them.
    pub(crate) small_name: String,
}

impl Listed {
    /// Where it stands in a list of this sequence.
    #[must_use]
    pub(crate) fn position(&self, sort: Sort) -> Position {
        let (id, price) = (self.product.id, self.product.price.amount());
        match sort {
            Sort::Relevance => Position::Relevance(self.rank, id),
            Sort::Newest => Position::Newest(id),
            Sort::Price => Position::Price(price, id),
            Sort::PriceDescending => Position::PriceDescending(price, id),
            Sort::Name => Position::Name(self.small_name.clone(), id),
        }
    }
}

/// How many products of a list there are by something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Facets {
    /// By category, the largest first, at most 100; of all categories, also where the list is of one.
    pub(crate) category: Vec<Count>,
}

/// How many products have a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Count {
    /// The value.
    #[schema(example = "kitchen")]
    pub(crate) value: String,
    /// How many products of the list have it.
    #[schema(example = 12)]
    pub(crate) count: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_text_of_at_most_200_characters() {
        let typed = |text: &str| Typed::try_from(text.to_owned()).map(String::from);
        assert_eq!(typed(" blue\0mug\n"), Ok("blue mug".to_owned()));
        assert_eq!(typed("\u{7}"), Ok(String::new()));
        assert!(typed(&"ü".repeat(200)).is_ok());
        assert!(typed(&"ü".repeat(201)).is_err());
    }

    #[test]
    fn a_word_is_met_by_what_begins_with_it_or_by_what_it_was_meant_to_be() {
        let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        let word = |typed: &str, begun: &[&str], meant: &[&str]| Word {
            typed: typed.to_owned(),
            begun: owned(begun),
            meant: owned(meant),
        };
        assert_eq!(tsquery(&[]), None);
        assert_eq!(
            tsquery(&[word("bleu", &[], &["blue"]), word("mug", &["mug", "mugs"], &[]), word("a", &[], &[])]).unwrap(),
            "('bleu':* | 'blue') & ('mug' | 'mugs') & ('a')"
        );
        assert_eq!(tsquery(&[word(r"o'r\d", &[], &[])]).unwrap(), r"('o''r\\d':*)");
    }

    #[test]
    fn a_cursor_belongs_to_its_sort() {
        let position = Position::Price(100, ProductId::from(uuid::Uuid::nil()));
        let cursor = Cursor::after(&position);
        assert_eq!(Position::of(&cursor, Sort::Price), Ok(position));
        assert!(Position::of(&cursor, Sort::PriceDescending).is_err());
    }
}
