//! `/api/v1/products`.

mod archive;
mod create;
mod etag;
mod list;
mod put;
mod read;
mod stock;
mod update;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::State;

pub(super) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(list::handler, create::handler, put::handler))
        .routes(routes!(read::handler, update::handler, archive::handler))
        .merge(stock::router())
}
