//! The series of each route, found once and then kept: a request looks up its own and makes no label.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::MatchedPath;
use axum::http::{Method, StatusCode};
use ecommerce_runtime::metrics::Series;
use parking_lot::RwLock;

use crate::metrics::REQUEST_DURATION;

/// The route of what has none.
const NO_ROUTE: &str = "none";
/// A method that is none of those that a route may have.
const OTHER: &str = "other";

/// Series by route, method and status. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct RouteMetrics(Arc<RwLock<HashMap<Arc<str>, Vec<Known>>>>);

/// A series of one route.
struct Known {
    method: &'static str,
    status: u16,
    series: Series,
}

impl RouteMetrics {
    /// The series of an answer. The route and not the path: a path with ids in it would make a series for each order.
    pub(crate) fn of(&self, method: &Method, route: Option<&MatchedPath>, status: StatusCode) -> Series {
        let (method, route, status) = (label(method), route.map_or(NO_ROUTE, MatchedPath::as_str), status.as_u16());
        let is_it = |known: &&Known| known.method == method && known.status == status;
        if let Some(known) = self.0.read().get(route).and_then(|known| known.iter().find(is_it)) {
            return known.series.clone();
        }
        let series = REQUEST_DURATION.series([
            Cow::Borrowed(method),
            Cow::Owned(route.to_owned()),
            Cow::Owned(status.to_string()),
        ]);
        let known = Known { method, status, series: series.clone() };
        self.0.write().entry(route.into()).or_default().push(known);
        series
    }
}

/// The method's name, out of a closed set: hyper takes any word for a method.
pub(crate) fn label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => OTHER,
    }
}
