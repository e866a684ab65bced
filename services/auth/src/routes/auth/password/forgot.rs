//! `POST /api/v1/auth/password/forgot`

use axum::extract::State as Shared;
use axum::http::StatusCode;
use ecommerce_http::Problem;
use ecommerce_http::extract::Json;
use ecommerce_types::Email;
use serde::Deserialize;

use crate::Error;
use crate::routes::client::Address;
use crate::state::State;
use crate::store::forgotten_passwords;

/// Whose password is forgotten.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Forgotten {
    /// The address of the account.
    email: Email,
}

/// Ask for a link to set a password
///
/// A link is sent to the address if there is such an account; the answer does not tell. It is good once, for 30 minutes. An
/// account gets three links, then one every ten minutes; a request beyond that is answered the same and sends nothing. Where the
/// shop sends no mail, an admin hands a link over.
#[utoipa::path(
    post,
    path = "/api/v1/auth/password/forgot",
    tag = "auth",
    operation_id = "forgot_password",
    responses(
        (status = 202, description = "If there is such an account, a link is on its way"),
        (status = 429, description = "`too_many_attempts`: too many links are asked for from this network address", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(in super::super) async fn handler(
    Shared(state): Shared<State>,
    Address(address): Address,
    Json(forgotten): Json<Forgotten>,
) -> Result<StatusCode, Error> {
    state.throttle.making(address)?;
    let Some(links) = &state.links else {
        tracing::info!("somebody asks for a link and the shop sends no mail: an admin can hand one over");
        return Ok(StatusCode::ACCEPTED);
    };
    // Whether there is such an account is asked later, so that neither the work nor its time tells.
    if state.throttle.sending(&forgotten.email).is_ok() {
        forgotten_passwords::insert(&state.pool, &forgotten.email, state.clock.now()).await?;
        links.wake();
    }
    Ok(StatusCode::ACCEPTED)
}
