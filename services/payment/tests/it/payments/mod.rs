//! `/api/v1/payments`

mod list;
mod pay;
mod pay_twice;
mod read;
