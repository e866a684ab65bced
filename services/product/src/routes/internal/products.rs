//! `GET /internal/products?ids=a,b,c`: what these products cost, asked by order before it takes an order.
//!
//! Straight from the database: the answer becomes the price that somebody pays.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State as Shared;
use ecommerce_contract::catalogue::Orderable;
use ecommerce_http::extract::{Json, Query};
use ecommerce_postgres::Pool;
use ecommerce_types::Invalid;
use serde::Deserialize;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Error;
use crate::state::State;
use crate::store::products;

/// How many products one question may name.
const MOST: usize = 100;

#[derive(Debug, Deserialize)]
pub(super) struct Parameters {
    ids: Ids,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Ids(Vec<Uuid>);

impl TryFrom<String> for Ids {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        // The length first: nothing is parsed that is not asked of the database.
        if text.split(',').count() > MOST {
            return Err(Invalid("ids names at most 100 products"));
        }
        let ids = text.split(',').map(str::parse).collect::<Result<_, _>>();
        ids.map(Self).map_err(|_| Invalid("ids is a list of product ids with commas between them"))
    }
}

pub(super) async fn handler(
    Shared(state): Shared<State>,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Vec<Orderable>>, Error> {
    // It may answer others, too, who have not gone away.
    let answering =
        tokio::spawn(async move { state.pricing.run(parameters.ids.0, |asked| find_all(&state.pool, asked)).await });
    Ok(Json(answering.await.map_err(|_| sqlx::Error::WorkerCrashed)??))
}

async fn find_all(pool: &Pool, asked: Vec<Vec<Uuid>>) -> Result<Vec<Vec<Orderable>>, sqlx::Error> {
    let ids: BTreeSet<Uuid> = asked.iter().flatten().copied().collect();
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let found = pool.run(async |connection: &mut PgConnection| products::orderable(connection, &ids).await).await?;
    let found: BTreeMap<Uuid, Orderable> = found.into_iter().map(|product| (product.id.0, product)).collect();
    let of_one = |ids: Vec<Uuid>| {
        let ids: BTreeSet<Uuid> = ids.into_iter().collect();
        ids.iter().filter_map(|id| found.get(id).cloned()).collect()
    };
    Ok(asked.into_iter().map(of_one).collect())
}
