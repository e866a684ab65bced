//! `POST /api/v1/auth/register`

use axum::extract::State as Shared;
use axum::http::StatusCode;
use ecommerce_http::Problem;
use ecommerce_http::extract::Json;
use ecommerce_types::{Email, Role, UserId};
use serde::Deserialize;

use crate::Error;
use crate::config::Registration;
use crate::domain::{Password, PersonName, User};
use crate::metrics::REGISTRATIONS;
use crate::routes::client::Address;
use crate::state::State;
use crate::store::users;

/// A person who wants to buy here.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCustomer {
    /// The address to log in with.
    email: Email,
    /// The password to log in with.
    password: Password,
    /// What to call the person.
    name: PersonName,
}

/// Register
///
/// Makes an account with the role `customer`. Log in next.
#[utoipa::path(
    post,
    path = "/api/v1/auth/register",
    tag = "auth",
    operation_id = "register",
    responses(
        (status = 201, description = "The person", body = User),
        (status = 403, description = "`registration_closed`: admins make the accounts here", body = Problem),
        (status = 409, description = "`email_taken`: there is an account with this address", body = Problem),
        (status = 422, description = "`invalid_body`: not an address, not a name, or a password that is not good enough", body = Problem),
        (status = 429, description = "`too_many_attempts`: too many accounts are made from this address", body = Problem),
        (status = 503, description = "`busy`: too many log in or register at this moment; `database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    Address(address): Address,
    Json(new): Json<NewCustomer>,
) -> Result<(StatusCode, Json<User>), Error> {
    if state.registration == Registration::Closed {
        return Err(Error::RegistrationClosed);
    }
    let NewCustomer { email, password, name } = new;
    state.policy.check(&password, &email, &name).map_err(Error::Password)?;
    let trier = state.throttle.making(address)?;
    let password_hash = state.hashing.hash(trier, password).await?;
    let user = User {
        id: UserId::new(&state.clock),
        email,
        name,
        roles: Role::Customer.into(),
        created_at: state.clock.now(),
        disabled_at: None,
    };
    users::insert(&state.pool, &user, Some(&password_hash)).await?;
    REGISTRATIONS.increment([]);
    tracing::info!(user.id = %user.id, "registered a customer");
    Ok((StatusCode::CREATED, Json(user)))
}
