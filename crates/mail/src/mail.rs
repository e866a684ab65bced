//! One mail, as it is written and as it is sent.

use ecommerce_types::{Clock, Email};
use lettre::Message;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};

use crate::Error;

/// A text for one person. It does not print.
#[derive(Clone)]
pub struct Mail {
    /// For whom.
    pub to: Email,
    /// What it is about, in a line.
    pub subject: String,
    /// The text, in lines that end with `\n`.
    pub text: String,
}

/// Says that nobody wrote it, so that nobody's absence is answered to it (RFC 3834, section 5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Mail {
    /// The mail with everything that goes before its text.
    pub(crate) fn message(&self, from: &Mailbox, clock: &Clock) -> Result<Message, Error> {
        let to = self.to.as_str().parse().map_err(|_| Error::Address)?;
        Message::builder()
            .from(from.clone())
            .to(Mailbox::new(None, to))
            .subject(self.subject.as_str())
            .date(clock.now().into())
            .message_id(Some(format!("<{}@{}>", clock.new_id(), from.email.domain())))
            .header(AutoSubmitted)
            .singlepart(SinglePart::builder().header(ContentType::TEXT_PLAIN).body(self.text.clone()))
            .map_err(|_| Error::Address)
    }
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Mail(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_subject_makes_a_header_of_its_own() {
        let mail = Mail {
            to: "ada@example.com".parse().unwrap(),
            subject: "Hello\r\nBcc: eve@example.com\r\n\r\nand a body".to_owned(),
            text: "text".to_owned(),
        };
        let from = "shop@example.com".parse().unwrap();
        let formatted = String::from_utf8(mail.message(&from, &Clock::system()).unwrap().formatted()).unwrap();
        let (head, _) = formatted.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.to_lowercase().starts_with("bcc:")), "{head}");
        assert!(head.contains("Auto-Submitted: auto-generated") && head.contains("Message-ID: <"), "{head}");
    }
}
