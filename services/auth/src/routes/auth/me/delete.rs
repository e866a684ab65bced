//! `DELETE /api/v1/auth/me`

use axum::extract::State as Shared;
use axum::http::StatusCode;
use ecommerce_http::{Customer, Problem};

use crate::Error;
use crate::people;
use crate::state::State;

/// Delete my account
///
/// Name, address and password are gone, and all sessions have ended; the address can register again. Orders stay, under an id
/// that is nobody's.
#[utoipa::path(
    delete,
    path = "/api/v1/auth/me",
    tag = "auth",
    operation_id = "delete_me",
    security(("access_token" = [])),
    responses(
        (status = 204, description = "The account is gone"),
        (status = 404, description = "`user_not_found`: it was gone before", body = Problem),
        (status = 409, description = "`last_admin`: make another admin first", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(in super::super) async fn handler(
    Shared(state): Shared<State>,
    Customer(caller): Customer,
) -> Result<StatusCode, Error> {
    people::delete(&state, caller.user_id, caller.user_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
