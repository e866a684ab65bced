//! `/api/v1/users`: people, as the shop's staff and admins keep them.

mod create;
mod delete;
mod disable;
mod enable;
mod list;
mod password_reset;
mod read;
mod roles;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::State;

pub(super) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(list::handler, create::handler))
        .routes(routes!(read::handler, delete::handler))
        .routes(routes!(roles::handler))
        .routes(routes!(disable::handler))
        .routes(routes!(enable::handler))
        .routes(routes!(password_reset::handler))
}
