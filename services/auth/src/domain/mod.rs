//! What auth knows of people and their passwords. Nothing here waits, asks a store or knows HTTP.

mod argon2id;
pub(crate) mod name;
pub(crate) mod password;
pub(crate) mod policy;
pub(crate) mod user;

pub(crate) use argon2id::Cost;
pub(crate) use name::PersonName;
pub(crate) use password::{Password, PasswordAttempt, PasswordHash};
pub(crate) use policy::Policy;
pub(crate) use user::User;
