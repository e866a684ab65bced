//! What went wrong for others who run a shop, tried on ours. Each story says what it was and where it can be read.
//!
//! One more: a story in the file of its subject, as it was reported, with what is right and why.

#[path = "field_cases/catalogue.rs"]
mod catalogue;
#[path = "field_cases/gateway.rs"]
mod gateway;
#[path = "field_cases/money.rs"]
mod money;
#[path = "field_cases/orders.rs"]
mod orders;
#[path = "field_cases/payments.rs"]
mod payments;
#[path = "field_cases/people.rs"]
mod people;
#[path = "field_cases/stock.rs"]
mod stock;
