//! What a customer pays with.

use ecommerce_types::Invalid;
use serde::{Deserialize, Serialize};

/// A method as the provider names it, such as a token that its own page has given out: 1 to 255 printable ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 255, example = "tok_success")]
pub(crate) struct PaymentMethod(String);

impl PaymentMethod {
    /// The name.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PaymentMethod {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        if (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text))
        } else {
            Err(Invalid("a payment method is 1 to 255 printable ASCII characters, such as tok_success"))
        }
    }
}

impl From<PaymentMethod> for String {
    fn from(method: PaymentMethod) -> Self {
        method.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_and_what_does_not_print_is_no_method() {
        for wrong in [String::new(), "tok success".to_owned(), "tök".to_owned(), "\0".to_owned(), "x".repeat(256)] {
            assert!(PaymentMethod::try_from(wrong.clone()).is_err(), "{wrong:?}");
        }
        assert_eq!(PaymentMethod::try_from("tok_success".to_owned()).unwrap().as_str(), "tok_success");
    }
}
