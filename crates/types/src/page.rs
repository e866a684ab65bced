//! Lists a page at a time, by key and not by offset, so that none repeats and none is skipped while rows come and go.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Invalid;

/// How many items a page holds: 1 to 100, 20 when absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(try_from = "i64", into = "i64")]
#[schema(value_type = i64, minimum = 1, maximum = 100, default = 20)]
pub struct Limit(i64);

impl Limit {
    /// The number of items.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }

    /// One more than the page holds: the row that tells whether another page follows.
    #[must_use]
    pub fn and_one_more(self) -> i64 {
        self.0 + 1
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(20)
    }
}

impl TryFrom<i64> for Limit {
    type Error = Invalid;

    fn try_from(number: i64) -> Result<Self, Invalid> {
        if (1..=100).contains(&number) {
            Ok(Self(number))
        } else {
            Err(Invalid("limit is a whole number from 1 to 100"))
        }
    }
}

impl From<Limit> for i64 {
    fn from(limit: Limit) -> Self {
        limit.0
    }
}

/// Where the next page begins: opaque to the client, the last row's sort key to the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct Cursor(String);

impl Cursor {
    /// A cursor that stands behind the row with this key.
    #[must_use]
    pub fn after<K: Serialize>(key: &K) -> Self {
        Self(URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default()))
    }

    /// The key it stands behind.
    pub fn key<K: DeserializeOwned>(&self) -> Result<K, Invalid> {
        const WRONG: Invalid = Invalid("a cursor is the next_cursor of an earlier page of the same list, unchanged");
        let json = URL_SAFE_NO_PAD.decode(&self.0).map_err(|_| WRONG)?;
        serde_json::from_slice(&json).map_err(|_| WRONG)
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Ask with `cursor` set to this for the next page; null on the last.
    pub next_cursor: Option<Cursor>,
}

impl<T> Page<T> {
    /// Makes a page of rows that were asked for with [`Limit::and_one_more`]; `key` is the sort key of a row.
    pub fn of<K: Serialize>(mut rows: Vec<T>, limit: Limit, key: impl Fn(&T) -> K) -> Self {
        let size = usize::try_from(limit.get()).unwrap_or_default();
        let more = rows.len() > size;
        rows.truncate(size);
        let next_cursor = rows.last().filter(|_| more).map(|last| Cursor::after(&key(last)));
        Self { items: rows, next_cursor }
    }

    /// The same page of other items.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next_cursor: self.next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_page_has_no_cursor() {
        let limit = Limit::try_from(2).unwrap();
        let page = Page::of(vec![1, 2, 3], limit, |row| *row);
        assert_eq!(page.items, [1, 2]);
        assert_eq!(page.next_cursor.unwrap().key::<i32>().unwrap(), 2);
        assert_eq!(Page::of(vec![1, 2], limit, |row| *row).next_cursor, None);
    }

    #[test]
    fn a_forged_cursor_is_refused() {
        assert!(Cursor("!".to_owned()).key::<i32>().is_err());
        assert!(Cursor::after(&"text").key::<i32>().is_err());
    }
}
