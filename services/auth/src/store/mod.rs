//! Auth's tables, and all of its SQL. Look-ups first, then changes; absence is `None`, and what a constraint refuses becomes
//! an error of the service where the statement stands.

pub(crate) mod sessions;
pub(crate) mod users;
