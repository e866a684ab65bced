//! What the parameters of the list of orders mean.

use ecommerce_http::Caller;
use ecommerce_types::{OrderId, Sku, UserId};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::domain::{Filter, Status};
use crate::error::InvalidFilter;

/// The parameters as they came.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) status: Option<String>,
    pub(super) customer_id: Option<String>,
    pub(super) placed_after: Option<String>,
    pub(super) placed_before: Option<String>,
    pub(super) q: Option<String>,
}

/// What they ask for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) filter: Filter,
    /// The one order; where there is none of this id, those of the sku.
    pub(super) id: Option<OrderId>,
    /// Those that this is a line of.
    pub(super) sku: Option<Sku>,
}

impl Words {
    /// What is asked for by this person; nothing, where no order can be of it: a customer's list is never wider than own orders, and
    /// whatever is no id and no sku is of no order.
    pub(super) fn read(self, caller: &Caller) -> Result<Option<Asked>, InvalidFilter> {
        let customer = self.customer_id.map(|text| customer(&text)).transpose()?;
        let filter = Filter {
            customer: if caller.is_staff() { customer } else { Some(caller.user_id) },
            status: self.status.map(|text| status(&text)).transpose()?,
            placed_after: self.placed_after.map(|text| time("placed_after", &text)).transpose()?,
            placed_before: self.placed_before.map(|text| time("placed_before", &text)).transpose()?,
        };
        if customer.is_some() && customer != filter.customer {
            return Ok(None);
        }
        let sought = self.q.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let Some(text) = sought else { return Ok(Some(Asked { filter, ..Asked::default() })) };
        let (id, sku) = (text.parse().ok(), text.parse().ok());
        Ok((id.is_some() || sku.is_some()).then_some(Asked { filter, id, sku }))
    }
}

fn status(text: &str) -> Result<Status, InvalidFilter> {
    text.parse().map_err(|_| {
        let names = Status::ALL.map(Status::as_str).join(", ");
        InvalidFilter { parameter: "status", allowed: format!("one of {names}") }
    })
}

fn customer(text: &str) -> Result<UserId, InvalidFilter> {
    let allowed = || "the id of a customer, a UUID".to_owned();
    text.parse().map_err(|_| InvalidFilter { parameter: "customer_id", allowed: allowed() })
}

fn time(parameter: &'static str, text: &str) -> Result<OffsetDateTime, InvalidFilter> {
    let allowed = || "a time like 2027-01-15T08:00:00Z; a + in an offset is sent as %2B".to_owned();
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| InvalidFilter { parameter, allowed: allowed() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_of_an_order_is_one_that_can_be_asked_for() {
        for of in Status::ALL {
            assert_eq!(status(of.as_str()), Ok(of));
        }
        let refused = status("Paid").unwrap_err().to_string();
        assert!(
            refused.starts_with("`status` is one of pending, ") && refused.ends_with("payment_failed"),
            "{refused}"
        );
    }

    #[test]
    fn a_time_says_its_offset() {
        for right in ["2027-01-15T08:00:00Z", "2027-01-15T08:00:00.123456+05:30", "0000-01-01T00:00:00Z"] {
            assert!(time("placed_after", right).is_ok(), "{right}");
        }
        for wrong in ["", "2027-01-15", "2027-01-15T08:00:00", "2027-01-15T08:00:00 01:00", "1768464000"] {
            assert!(time("placed_after", wrong).is_err(), "{wrong}");
        }
    }
}
