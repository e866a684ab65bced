//! `GET /api/v1/products`: what is for sale, found by words, kept by filters, sorted.

use axum::extract::State as Shared;
use ecommerce_http::Problem;
use ecommerce_http::extract::{Json, Query};
use ecommerce_types::{Cursor, Limit, Sku};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::Error;
use crate::catalogue::{Asked, ProductPage};
use crate::domain::Category;
use crate::domain::search::{Position, PriceBound, Sort, Typed, Wanted};
use crate::state::State;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Parameters {
    /// How many a page holds.
    #[param(inline)]
    limit: Option<Limit>,
    /// The `next_cursor` of the page before; of the same list, so with the same parameters.
    #[param(inline)]
    cursor: Option<Cursor>,
    /// Only those that have each of these words in name, sku, category, attributes or description; of name and category it is enough that a
    /// word begins so. What begins no word of them is taken for those that differ from it by a letter, and from six letters on by two. The
    /// first eight words count.
    #[param(inline)]
    q: Option<Typed>,
    /// Only the one with this sku.
    #[param(inline)]
    sku: Option<Sku>,
    /// Only those in this category.
    #[param(inline)]
    category: Option<Category>,
    /// Only those that cost at least so many minor units.
    #[param(inline)]
    min_price: Option<PriceBound>,
    /// Only those that cost at most so many minor units.
    #[param(inline)]
    max_price: Option<PriceBound>,
    /// The sequence; absent: by relevance where there is a `q`, else the newest first. Prices are compared by their minor units, whatever
    /// the currency.
    #[param(inline)]
    sort: Option<Sort>,
    /// Also says how many products of the whole list there are by this.
    #[param(inline)]
    facets: Option<Facet>,
}

/// What products of a list can be counted by.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Facet {
    /// The category.
    Category,
}

impl Parameters {
    fn asked(self) -> Result<Asked, Error> {
        let Self { limit, cursor, q, sku, category, min_price, max_price, sort, facets } = self;
        if let (Some(least), Some(most)) = (min_price, max_price)
            && least > most
        {
            return Err(Error::NoPriceBetween);
        }
        let typed = q.filter(|typed| !typed.is_empty());
        let sort = match (sort, &typed) {
            (Some(Sort::Relevance) | None, None) => Sort::Newest,
            (None, Some(_)) => Sort::Relevance,
            (Some(sort), _) => sort,
        };
        let after = cursor.map(|cursor| Position::of(&cursor, sort)).transpose()?;
        let wanted = Wanted { typed, sku, category, min_price, max_price };
        let has_facets = matches!(facets, Some(Facet::Category));
        Ok(Asked { wanted, sort, after, limit: limit.unwrap_or_default(), has_facets })
    }
}

/// List products
///
/// What is for sale; up to two seconds old.
#[utoipa::path(
    get,
    path = "/api/v1/products",
    tag = "product",
    operation_id = "list_products",
    params(Parameters),
    responses(
        (status = 200, description = "A page of products", body = ProductPage),
        (status = 400, description = "`invalid_cursor`: the cursor is not one of this list's; `invalid_query`: a parameter is none of what it may be", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    Query(parameters): Query<Parameters>,
) -> Result<Json<ProductPage>, Error> {
    Ok(Json(state.catalogue.page(&parameters.asked()?).await?))
}
