//! `POST /api/v1/users`

use axum::extract::State as Shared;
use axum::http::{HeaderName, StatusCode, header};
use ecommerce_http::extract::Json;
use ecommerce_http::{Admin, Problem};
use ecommerce_types::{Email, Role, Roles, UserId};
use serde::Deserialize;

use crate::Error;
use crate::domain::{Password, PersonName, User};
use crate::routes::client::Address;
use crate::state::State;
use crate::store::users;
use crate::throttle::Trier;

/// A person whom an admin makes an account for.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUser {
    /// The address to log in with.
    email: Email,
    /// What to call the person.
    name: PersonName,
    /// What the person may do; `customer` when absent.
    roles: Option<Roles>,
    /// The password to log in with. When absent nobody logs in until one is set with a link.
    password: Option<Password>,
}

/// Make a user
///
/// For a colleague, or where registration is closed. Without a password, ask for a link next, and hand it over.
#[utoipa::path(
    post,
    path = "/api/v1/users",
    tag = "users",
    operation_id = "create_user",
    security(("access_token" = [])),
    responses(
        (status = 201, description = "The person", body = User, headers(("location" = String, description = "Where the person is read"))),
        (status = 403, description = "`role_required`: this is for admins", body = Problem),
        (status = 409, description = "`email_taken`: there is an account with this address", body = Problem),
        (status = 422, description = "`invalid_body`: not an address, not a name, no role, or a password that is not good enough", body = Problem),
        (status = 503, description = "`busy` or `database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    Admin(caller): Admin,
    Address(address): Address,
    Json(new): Json<NewUser>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<User>), Error> {
    let NewUser { email, name, roles, password } = new;
    let roles = roles.unwrap_or_else(|| Role::Customer.into());
    let hash = match password {
        Some(password) => {
            state.policy.check(&password, &email, &name).map_err(Error::Password)?;
            Some(state.hashing.hash(Trier::trusted(address), password).await?)
        }
        None => None,
    };
    let id = UserId::new(&state.clock);
    let user = User { id, email, name, roles, created_at: state.clock.now(), disabled_at: None };
    users::insert(&state.pool, &user, hash.as_ref()).await?;
    tracing::info!(user.id = %user.id, roles = %user.roles, admin.id = %caller.user_id, "made a user");
    Ok((StatusCode::CREATED, [(header::LOCATION, format!("/api/v1/users/{id}"))], Json(user)))
}
