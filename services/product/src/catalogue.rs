//! What everybody reads, out of Redis where it is there and out of PostgreSQL where it is not.
//!
//! A single product is as new as its last change: whoever commits a change calls [`Catalogue::changed`]. A page of the list
//! may be [`PAGE`] old, because which pages a change shows on is not known. No decision is made on what is read here:
//! orders ask `/internal/products` and reservations lock the rows, both in PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use ecommerce_postgres::Pool;
use ecommerce_redis::{Cache, Redis};
use ecommerce_types::{Cursor, Limit, Page, ProductId};
use futures::future::join_all;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::Error;
use crate::domain::Product;
use crate::domain::search::{Facets, Position, Sort, Wanted, tsquery};
use crate::store::{products, search};

/// How long a product is kept, and so how long a change stays unseen when Redis was away as it happened.
const PRODUCT: Duration = Duration::from_secs(10);
/// How old a page of the list may be.
const PAGE: Duration = Duration::from_secs(2);

/// Which page of which list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Asked {
    pub(crate) wanted: Wanted,
    pub(crate) sort: Sort,
    pub(crate) after: Option<Position>,
    pub(crate) limit: Limit,
    pub(crate) has_facets: bool,
}

impl Asked {
    /// The same for the same page, and for no other.
    fn key(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A page of products, and how many there are of each category if that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct ProductPage {
    /// The products, in the list's order.
    pub(crate) items: Vec<Product>,
    /// Ask with `cursor` set to this for the next page; null on the last.
    #[schema(required)]
    pub(crate) next_cursor: Option<Cursor>,
    /// How many products of the whole list there are by something; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) facets: Option<Facets>,
}

async fn load_page(connection: &mut PgConnection, asked: &Asked) -> Result<ProductPage, sqlx::Error> {
    let Asked { wanted, sort, after, limit, has_facets } = asked;
    let tsquery = match &wanted.typed {
        None => None,
        Some(typed) => match tsquery(&search::words(connection, typed).await?) {
            Some(tsquery) => Some(tsquery),
            // There is no word in it, so nothing has it.
            None => return Ok(ProductPage::empty(*has_facets)),
        },
    };
    let Page { items, next_cursor } =
        search::page(connection, wanted, tsquery.as_deref(), *sort, after.as_ref(), *limit).await?;
    let facets = match has_facets {
        true => Some(Facets { category: search::categories(connection, wanted, tsquery.as_deref()).await? }),
        false => None,
    };
    Ok(ProductPage { items, next_cursor, facets })
}

impl ProductPage {
    fn empty(has_facets: bool) -> Self {
        let facets = has_facets.then(|| Facets { category: Vec::new() });
        Self { items: Vec::new(), next_cursor: None, facets }
    }
}

/// The products for sale. Clones share the cache.
#[derive(Debug, Clone)]
pub(crate) struct Catalogue {
    pool: Pool,
    products: Arc<Cache<Product, Error>>,
    pages: Arc<Cache<ProductPage, Error>>,
}

impl Catalogue {
    /// The catalogue of this database, cached in this Redis.
    #[must_use]
    pub(crate) fn new(pool: Pool, redis: &Redis) -> Self {
        let products = Arc::new(Cache::new(redis.clone(), "product", PRODUCT));
        let pages = Arc::new(Cache::new(redis.clone(), "products", PAGE));
        Self { pool, products, pages }
    }

    /// A product for sale. One that is not there is never remembered: its id may be the next one's.
    pub(crate) async fn product(&self, id: ProductId) -> Result<Product, Error> {
        let load = || async {
            let found =
                self.pool.run(async |connection: &mut PgConnection| products::find(connection, id).await).await?;
            found.ok_or(Error::ProductNotFound)
        };
        Ok(self.products.get_or_load(&id.to_string(), load).await?)
    }

    /// A page of the products for sale, as asked for.
    pub(crate) async fn page(&self, asked: &Asked) -> Result<ProductPage, Error> {
        let load = || async {
            let page = async |connection: &mut PgConnection| load_page(connection, asked).await;
            Ok(self.pool.run(page).await?)
        };
        Ok(self.pages.get_or_load(&asked.key(), load).await?)
    }

    /// To be called after the commit of a change of these products or of their stock.
    pub(crate) async fn changed(&self, ids: impl IntoIterator<Item = ProductId>) {
        join_all(ids.into_iter().map(|id| async move { self.products.invalidate(&id.to_string()).await })).await;
    }
}
