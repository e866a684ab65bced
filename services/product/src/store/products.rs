//! What is for sale.

use ecommerce_contract::catalogue::Orderable;
use ecommerce_postgres::OnConstraint as _;
use ecommerce_types::{Money, ProductId, Sku};
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::decode;
use crate::Error;
use crate::domain::{Attributes, Available, Category, Description, Price, Product, ProductName};

const SKU_IS_UNIQUE: &str = "products_sku_is_unique";

/// What [`Row`] reads of `products join stock on product_id = id`.
pub(super) const COLUMNS: &str = "id, sku, name, description, category, attributes, price_amount, price_currency, version, \
    on_hand - reserved as available";

/// A product's row beside its stock's.
#[derive(FromRow)]
pub(super) struct Row {
    id: Uuid,
    sku: String,
    name: String,
    description: String,
    category: Option<String>,
    attributes: Json<Attributes>,
    price_amount: i64,
    price_currency: String,
    version: i64,
    available: i64,
}

impl TryFrom<Row> for Product {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: ProductId(row.id),
            sku: row.sku.try_into().map_err(decode)?,
            name: row.name.try_into().map_err(decode)?,
            description: row.description.try_into().map_err(decode)?,
            category: row.category.map(Category::try_from).transpose().map_err(decode)?,
            attributes: row.attributes.0,
            price: money(row.price_amount, row.price_currency)?.try_into().map_err(decode)?,
            stock: Available { available: row.available },
            version: row.version,
        })
    }
}

fn money(amount: i64, currency: String) -> Result<Money, sqlx::Error> {
    Money::new(amount, currency.try_into().map_err(decode)?).map_err(decode)
}

/// A product that is for sale.
pub(crate) async fn find(connection: &mut PgConnection, id: ProductId) -> Result<Option<Product>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"select id, sku, name, description, category, attributes as "attributes: Json<Attributes>", price_amount,
             price_currency, version, on_hand - reserved as "available!"
           from products join stock on product_id = id
           where id = $1 and archived_at is null"#,
        id.0
    )
    .fetch_optional(connection)
    .await?;
    row.map(Product::try_from).transpose()
}

/// What these products cost, those that may be ordered.
pub(crate) async fn orderable(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Orderable>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, sku, name, price_amount, price_currency from products
         where id = any($1) and archived_at is null order by id",
        ids
    )
    .fetch_all(connection)
    .await?;
    let orderable = |id, sku: String, name, price| {
        Ok(Orderable { id: ProductId(id), sku: sku.try_into().map_err(decode)?, name, price })
    };
    rows.into_iter()
        .map(|row| orderable(row.id, row.sku, row.name, money(row.price_amount, row.price_currency)?))
        .collect()
}

/// What staff say of a product.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The shop's own name for it.
    pub(crate) sku: Sku,
    /// What it is called.
    pub(crate) name: ProductName,
    /// What there is to say about it.
    pub(crate) description: Description,
    /// Where it is found.
    pub(crate) category: Option<Category>,
    pub(crate) attributes: Attributes,
    /// What one piece costs.
    pub(crate) price: Price,
}

impl Entry {
    /// Whether the product is described so already.
    pub(crate) fn describes(&self, product: &Product) -> bool {
        let Self { sku, name, description, category, attributes, price } = self;
        (sku, name, description, category, attributes, price)
            == (
                &product.sku,
                &product.name,
                &product.description,
                &product.category,
                &product.attributes,
                &product.price,
            )
    }
}

/// A new product; its sku must be free.
pub(crate) async fn insert(transaction: &mut PgConnection, id: ProductId, entry: &Entry) -> Result<(), Error> {
    let currency = entry.price.currency();
    sqlx::query!(
        "insert into products (id, sku, name, description, category, attributes, price_amount, price_currency)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        id.0,
        entry.sku.as_str(),
        entry.name.as_str(),
        entry.description.as_str(),
        entry.category.as_ref().map(Category::as_str),
        Json(&entry.attributes) as _,
        entry.price.amount(),
        currency.as_str()
    )
    .execute(transaction)
    .await
    .on_constraint(SKU_IS_UNIQUE, || Error::SkuTaken)?;
    Ok(())
}

/// Locks a product that is for sale until the transaction ends.
pub(crate) async fn lock(transaction: &mut PgConnection, id: ProductId) -> Result<Option<Product>, sqlx::Error> {
    let locked =
        sqlx::query_scalar!("select id from products where id = $1 and archived_at is null for no key update", id.0)
            .fetch_optional(&mut *transaction)
            .await?;
    match locked {
        Some(id) => find(transaction, ProductId(id)).await,
        None => Ok(None),
    }
}

/// Locks the product that is for sale under this sku until the transaction ends.
pub(crate) async fn lock_sku(transaction: &mut PgConnection, sku: &Sku) -> Result<Option<Product>, sqlx::Error> {
    let locked = sqlx::query_scalar!(
        "select id from products where sku = $1 and archived_at is null for no key update",
        sku.as_str()
    )
    .fetch_optional(&mut *transaction)
    .await?;
    match locked {
        Some(id) => find(transaction, ProductId(id)).await,
        None => Ok(None),
    }
}

/// Writes what staff say now, as another version; its sku must be free.
pub(crate) async fn update(transaction: &mut PgConnection, id: ProductId, entry: &Entry) -> Result<(), Error> {
    let currency = entry.price.currency();
    sqlx::query!(
        "update products
         set sku = $2, name = $3, description = $4, category = $5, attributes = $6, price_amount = $7, price_currency = $8,
           version = version + 1, updated_at = now()
         where id = $1",
        id.0,
        entry.sku.as_str(),
        entry.name.as_str(),
        entry.description.as_str(),
        entry.category.as_ref().map(Category::as_str),
        Json(&entry.attributes) as _,
        entry.price.amount(),
        currency.as_str()
    )
    .execute(transaction)
    .await
    .on_constraint(SKU_IS_UNIQUE, || Error::SkuTaken)?;
    Ok(())
}

/// Takes a product from sale.
pub(crate) async fn archive(transaction: &mut PgConnection, id: ProductId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update products set archived_at = now(), version = version + 1, updated_at = now() where id = $1",
        id.0
    )
    .execute(transaction)
    .await?;
    Ok(())
}
