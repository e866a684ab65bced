//! What auth knows of people and their passwords. Nothing here waits, asks a store or knows HTTP.

mod argon2id;
pub mod name;
pub mod password;
pub mod policy;
pub mod user;

pub use argon2id::Cost;
pub use name::PersonName;
pub use password::{Password, PasswordAttempt, PasswordHash};
pub use policy::Policy;
pub use user::User;
