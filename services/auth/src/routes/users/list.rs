//! `GET /api/v1/users`

use axum::extract::State as Shared;
use ecommerce_http::extract::{Json, Query};
use ecommerce_http::{Admin, Problem};
use ecommerce_types::{Cursor, Limit, Page, Role, UserId};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::Error;
use crate::domain::User;
use crate::state::State;
use crate::store::users::{self, Filter};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Parameters {
    /// How many a page holds.
    #[param(inline)]
    limit: Option<Limit>,
    /// The `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
    /// Only those with this text in their name or address, whatever its capitals.
    #[param(max_length = 100)]
    q: Option<String>,
    /// Only those that have been given this role.
    #[param(inline)]
    role: Option<Role>,
}

/// Characters of a text that is looked for.
const LONGEST_TEXT: usize = 100;

/// List users
///
/// Everybody with an account, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/users",
    tag = "users",
    operation_id = "list_users",
    params(Parameters),
    security(("access_token" = [])),
    responses(
        (status = 200, description = "A page of users", body = Page<User>),
        (status = 400, description = "`invalid_cursor`: the cursor is not one of this list's", body = Problem),
        (status = 403, description = "`role_required`: this is for admins", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    _admin: Admin,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Page<User>>, Error> {
    let after = parameters.cursor.map(|cursor| cursor.key::<UserId>()).transpose()?;
    let text = parameters.q.unwrap_or_default().to_lowercase();
    // What is in no name and no address is found nowhere.
    if text.chars().count() > LONGEST_TEXT || text.contains('\0') {
        return Ok(Json(Page { items: Vec::new(), next_cursor: None }));
    }
    let filter = Filter { text, role: parameters.role };
    Ok(Json(users::page(&state.pool, &filter, after, parameters.limit.unwrap_or_default()).await?))
}
