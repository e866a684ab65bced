//! `/api/v1/payments`

mod card_testing;
mod list;
mod pay;
mod pay_twice;
mod read;
