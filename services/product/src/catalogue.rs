//! What everybody reads, out of Redis where it is there and out of PostgreSQL where it is not.
//!
//! A single product is as new as its last change: whoever commits a change calls [`Catalogue::changed`]. A page of the list
//! may be [`PAGE`] old, because which pages a change shows on is not known. No decision is made on what is read here:
//! orders ask `/internal/products` and reservations lock the rows, both in PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use ecommerce_postgres::Pool;
use ecommerce_redis::{Cache, Redis};
use ecommerce_types::{Limit, Page, ProductId};
use futures::future::join_all;
use sqlx::PgConnection;

use crate::Error;
use crate::domain::{Category, Product};
use crate::store::products;

/// How long a product is kept, and so how long a change stays unseen when Redis was away as it happened.
const PRODUCT: Duration = Duration::from_secs(10);
/// How old a page of the list may be.
const PAGE: Duration = Duration::from_secs(2);

/// The products for sale. Clones share the cache.
#[derive(Debug, Clone)]
pub(crate) struct Catalogue {
    pool: Pool,
    products: Arc<Cache<Product, Error>>,
    pages: Arc<Cache<Page<Product>, Error>>,
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

    /// A page of the products for sale, newest first.
    pub(crate) async fn page(
        &self,
        category: Option<&Category>,
        after: Option<ProductId>,
        limit: Limit,
    ) -> Result<Page<Product>, Error> {
        let category_key = category.map_or_else(|| "all".to_owned(), |category| format!("in {}", category.as_str()));
        let after_key = after.map_or_else(|| "newest".to_owned(), |id| id.to_string());
        let key = format!("{}:{after_key}:{category_key}", limit.get());
        let load = || async {
            let page = async |connection: &mut PgConnection| products::page(connection, category, after, limit).await;
            Ok(self.pool.run(page).await?)
        };
        Ok(self.pages.get_or_load(&key, load).await?)
    }

    /// To be called after the commit of a change of these products or of their stock.
    pub(crate) async fn changed(&self, ids: impl IntoIterator<Item = ProductId>) {
        join_all(ids.into_iter().map(|id| async move { self.products.invalidate(&id.to_string()).await })).await;
    }
}
