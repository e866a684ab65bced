//! Auth's tables, and all of its SQL. Look-ups first, then changes; absence is `None`, and what a constraint refuses becomes
//! an error of the service where the statement stands.

pub(crate) mod accounts;
pub(crate) mod first_admins;
pub(crate) mod forgotten_passwords;
pub(crate) mod password_resets;
pub(crate) mod sessions;
pub(crate) mod users;

use ecommerce_types::{Invalid, Roles};

fn roles(names: &[String]) -> Result<Roles, sqlx::Error> {
    names.join(",").parse().map_err(malformed)
}

fn names(roles: &Roles) -> Vec<String> {
    roles.iter().map(|role| role.as_str().to_owned()).collect()
}

fn malformed(error: Invalid) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
