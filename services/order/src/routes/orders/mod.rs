//! `/api/v1/orders`.

mod cancel;
mod change;
mod filter;
mod fulfil;
mod history;
mod list;
mod place;
mod read;
mod update;
mod view;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::State;

pub(super) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(list::handler, place::handler))
        .routes(routes!(read::handler, update::handler))
        .routes(routes!(history::handler))
        .routes(routes!(cancel::handler))
        .routes(routes!(fulfil::handler))
}
