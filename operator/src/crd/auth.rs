//! What a person may say of accounts and of mail.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::IS_EMAIL;

/// Accounts.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Auth {
    /// Who makes accounts. Absent: `Open`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<Registration>,
}

/// Who makes accounts. Absent: `Open`.
#[derive(schemars::JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Registration {
    /// Everybody makes their own.
    #[default]
    Open,
    /// Admins alone.
    Closed,
}

impl Registration {
    /// As auth reads it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// How the shop sends mail. Absent: not at all, and an admin hands links over.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    /// The Secret with the SMTP server: `host`, and where they are needed `port`, `username`, `password` and `tls`, which is
    /// `starttls` (when absent), `implicit` or `none`. A change of it is taken within five minutes.
    pub secret_ref: SecretRef,

    /// The address that mail comes from.
    #[schemars(length(max = 254))]
    #[x_kube(validation = Rule::new(IS_EMAIL)
        .message("mail.from must be an e-mail address like shop@example.com"))]
    pub from: String,

    /// The page on which a password is set, with `{token}` where the link's token goes. `http` is for one's own machine alone.
    #[schemars(length(max = 2000))]
    #[x_kube(validation = Rule::new("self.split('{token}').size() == 2 && self.matches('^(https://[A-Za-z0-9.-]+|http://(localhost|127[.]0[.]0[.]1))(:[0-9]+)?[/?#][!-~]*$')")
        .message("mail.resetUrl must be an https address with {token} in it once, like https://shop.example/reset?token={token}"))]
    pub reset_url: String,
}

/// A Secret in the stack's namespace.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SecretRef {
    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*$')")
        .message("secretRef.name must be the name of a Secret: lower-case letters, digits, dashes and dots"))]
    pub name: String,
}
