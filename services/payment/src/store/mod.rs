//! All SQL of this service; the simulator, which stands for somebody else's service, keeps its own.
//!
//! What is written by one decision is written by one statement, in the file that has the decision's name: [`opening`], [`closing`],
//! [`asking`], [`ending`]. What goes after its time is in [`retention`].

pub(crate) mod asking;
pub(crate) mod attempts;
pub(crate) mod closing;
pub(crate) mod ending;
pub(crate) mod holders;
pub(crate) mod open_attempts;
pub(crate) mod opening;
pub(crate) mod payments;
pub(crate) mod refunds;
pub(crate) mod retention;
pub(crate) mod voided;

/// A row that breaks a rule which the table's own constraints keep.
fn decode(error: ecommerce_types::Invalid) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
