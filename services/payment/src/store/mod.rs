//! All SQL of this service; the simulator, which stands for somebody else's service, keeps its own.

pub(crate) mod charges;
pub(crate) mod closed_orders;
pub(crate) mod payments;
pub(crate) mod refunds;

/// A row that breaks a rule which the table's own constraints keep.
fn decode(error: ecommerce_types::Invalid) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
