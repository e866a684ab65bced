//! What auth knows of people, their passwords and their sessions. Nothing here waits, asks a store or knows HTTP.

mod argon2id;
pub(crate) mod name;
pub(crate) mod password;
pub(crate) mod policy;
pub(crate) mod refresh_token;
pub(crate) mod reset_token;
pub(crate) mod session;
pub(crate) mod user;

pub(crate) use argon2id::{Cost, Memory};
pub(crate) use name::PersonName;
pub(crate) use password::{Password, PasswordAttempt, PasswordHash};
pub(crate) use policy::Policy;
pub(crate) use refresh_token::{RefreshKeys, RefreshToken};
pub(crate) use reset_token::ResetToken;
pub(crate) use session::{Client, SessionView};
pub(crate) use user::User;
