//! What a person may do in the shop.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Invalid;

/// One of the shop's three roles: a customer buys, staff also keep catalogue, stock, orders and payments, an admin also keeps users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Buys.
    Customer,
    /// Keeps the catalogue, the stock and the orders.
    Staff,
    /// Also keeps the users.
    Admin,
}

impl Role {
    /// The role's name in tokens, headers and the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Staff => "staff",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Role {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text {
            "customer" => Ok(Self::Customer),
            "staff" => Ok(Self::Staff),
            "admin" => Ok(Self::Admin),
            _ => Err(Invalid("a role is customer, staff or admin")),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The roles of one person, at least one: whoever may do nothing is disabled. Written `customer,staff` in a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "BTreeSet<Role>")]
#[schema(min_items = 1)]
pub struct Roles(BTreeSet<Role>);

impl Roles {
    /// Whether these reach `role`: an admin is also staff, and whoever has any role is also a customer.
    #[must_use]
    pub fn include(&self, role: Role) -> bool {
        self.0.iter().any(|held| *held >= role)
    }

    /// The roles in the order of what they may do.
    pub fn iter(&self) -> impl Iterator<Item = Role> + '_ {
        self.0.iter().copied()
    }
}

impl From<Role> for Roles {
    fn from(role: Role) -> Self {
        Self([role].into())
    }
}

impl TryFrom<BTreeSet<Role>> for Roles {
    type Error = Invalid;

    fn try_from(roles: BTreeSet<Role>) -> Result<Self, Invalid> {
        if roles.is_empty() {
            return Err(Invalid(
                "give at least one of customer, staff and admin; to keep somebody out, disable the user",
            ));
        }
        Ok(Self(roles))
    }
}

impl FromStr for Roles {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let roles: BTreeSet<Role> = text.split(',').map(str::parse).collect::<Result<_, _>>()?;
        roles.try_into()
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, role) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str(",")?;
            }
            role.fmt(formatter)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_reaches_those_below_it() {
        let staff: Roles = "staff".parse().unwrap();
        assert!(staff.include(Role::Customer) && staff.include(Role::Staff) && !staff.include(Role::Admin));
        assert!(Roles::from(Role::Customer).include(Role::Customer));
    }

    #[test]
    fn roles_read_back_what_they_write() {
        let roles: Roles = "admin,customer".parse().unwrap();
        assert_eq!(roles.to_string(), "customer,admin");
        assert_eq!(roles.to_string().parse::<Roles>().unwrap(), roles);
        for wrong in ["", "root", "staff,", "staff,root"] {
            assert!(wrong.parse::<Roles>().is_err(), "{wrong:?}");
        }
        assert!(serde_json::from_str::<Roles>("[]").is_err());
    }
}
