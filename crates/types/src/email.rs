//! E-mail addresses as names of accounts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Invalid;

/// An address in lower case, so that one mailbox is one account. Whether mail arrives is not known here.
///
/// The shape is the one HTML's `<input type=email>` takes (WHATWG HTML, section 4.10.5.1.5), at most 254 bytes
/// (RFC 5321, section 4.5.3.1.3). `Debug` hides it: an address is personal data and stays out of logs.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, format = "email", max_length = 254, example = "ada@example.com")]
pub struct Email(String);

impl Email {
    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        const WRONG: Invalid = Invalid("an e-mail address looks like name@example.com and has at most 254 characters");
        let text = text.trim();
        let (local, domain) = text.split_once('@').ok_or(WRONG)?;
        let local_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
        let label_allowed = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let well_formed = text.len() <= 254
            && !local.is_empty()
            && local.bytes().all(local_allowed)
            && domain.split('.').all(label_allowed);
        if well_formed { Ok(Self(text.to_ascii_lowercase())) } else { Err(WRONG) }
    }
}

impl TryFrom<String> for Email {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Email(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mailbox_is_one_account_whatever_its_capitals() {
        assert_eq!(" Ada@Example.COM ".parse::<Email>().unwrap(), "ada@example.com".parse().unwrap());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for wrong in
            ["", "ada", "ada@", "@example.com", "a da@example.com", "ada@-example.com", "ada@example..com", "a@b@c"]
        {
            assert!(wrong.parse::<Email>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_address_does_not_reach_a_log() {
        assert_eq!(format!("{:?}", "ada@example.com".parse::<Email>().unwrap()), "Email(…)");
    }
}
