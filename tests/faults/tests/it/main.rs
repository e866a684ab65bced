//! Order, product and payment together, under faults of their stores and of the ways there. After each fault every order has come to
//! an end, every event that was written was published and handled, and all books say the same.
#![expect(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

mod books;
mod commits;
mod customers;
mod deleted_queue;
mod full_disk;
mod handled;
mod order_away;
mod provider;
mod shop;
mod silence;
