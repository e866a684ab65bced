//! `/api/v1/auth`: a person and their own logins.

mod login;
mod logout;
mod me;
mod password;
mod refresh;
mod register;
mod sessions;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::State;

pub(super) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(register::handler))
        .routes(routes!(login::handler))
        .routes(routes!(refresh::handler))
        .routes(routes!(logout::handler))
        .routes(routes!(me::read::handler, me::delete::handler))
        .routes(routes!(sessions::list::handler))
        .routes(routes!(sessions::end::handler))
        .routes(routes!(password::change::handler))
        .routes(routes!(password::forgot::handler))
        .routes(routes!(password::reset::handler))
}
