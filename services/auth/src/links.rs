//! Links with which a password is set: made for an admin to hand over, or sent to whoever says that theirs is forgotten.

use std::str::FromStr;
use std::time::Duration;

use ecommerce_mail::{Mail, Mailer};
use ecommerce_postgres::Pool;
use ecommerce_runtime::{ErrorChain, Notifier, Shutdown};
use ecommerce_types::{Clock, Email, UserId};
use time::OffsetDateTime;

use crate::Error;
use crate::domain::ResetToken;
use crate::domain::reset_token::LIFETIME;
use crate::metrics::LINKS;
use crate::store::{accounts, forgotten_passwords, password_resets};

/// How often it is looked for what another process could not send.
const LOOK: Duration = Duration::from_secs(5);
/// After how long a link that could not be sent is tried again; and then after twice as long each time.
const AGAIN: time::Duration = time::Duration::seconds(30);
/// How long it is tried.
const TRIED_FOR: time::Duration = time::Duration::hours(1);

/// Stands in the address of the page for what the link carries.
const TOKEN: &str = "{token}";

/// The address of the page on which a password is set, such as `https://shop.example/reset?token={token}`.
#[derive(Debug, Clone)]
pub struct ResetUrl(String);

impl FromStr for ResetUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_address = text.starts_with("https://") || text.starts_with("http://");
        let well_formed = is_address && text.matches(TOKEN).count() == 1;
        well_formed.then(|| Self(text.to_owned())).ok_or("expected an address with {token} in it once")
    }
}

impl ResetUrl {
    /// The link with this token.
    pub(crate) fn with(&self, token: &ResetToken) -> String {
        self.0.replace(TOKEN, token.expose())
    }
}

/// Makes a link for this user and keeps what knows it again; answers until when it is good.
pub(crate) async fn make(pool: &Pool, clock: &Clock, user: UserId) -> Result<(ResetToken, OffsetDateTime), Error> {
    let (token, expires_at) = (ResetToken::new(), clock.now() + LIFETIME);
    password_resets::insert(pool, &token.hash(), user, expires_at).await?;
    Ok((token, expires_at))
}

/// What it takes to send links. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Links {
    pool: Pool,
    mailer: Mailer,
    url: ResetUrl,
    clock: Clock,
    asked: Notifier,
}

impl Links {
    pub(crate) fn new(pool: Pool, mailer: Mailer, url: ResetUrl, clock: Clock) -> Self {
        Self { pool, mailer, url, clock, asked: Notifier::new() }
    }

    /// There is one to be sent.
    pub(crate) fn wake(&self) {
        self.asked.notify();
    }

    /// Sends links until the process stops.
    pub(crate) async fn run(self, shutdown: Shutdown) {
        let mut tick = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                () = shutdown.stopped() => return,
                () = self.asked.notified() => {}
                _ = tick.tick() => {}
            }
            while !shutdown.is_stopped() {
                match self.send_next().await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        tracing::warn!(error = %ErrorChain(&error), "unable to look for links that are to be sent");
                        break;
                    }
                }
            }
        }
    }

    /// Sends the one whose turn it is; false where there is none. One that dies in between is sent once more.
    async fn send_next(&self) -> Result<bool, Error> {
        let now = self.clock.now();
        let Some((email, asked_at)) = forgotten_passwords::take(&self.pool, now, AGAIN).await? else {
            return Ok(false);
        };
        let account = accounts::with_email(&self.pool, &email).await?.filter(|account| !account.is_disabled);
        if let Some(account) = account {
            let (token, _) = make(&self.pool, &self.clock, account.id).await?;
            if let Err(error) = self.mailer.send(&mail(&email, &self.url.with(&token))).await {
                let is_tried_again = error.is_transient() && now - asked_at < TRIED_FOR;
                let outcome = if is_tried_again { "delayed" } else { "refused" };
                LINKS.increment([outcome]);
                tracing::warn!(user.id = %account.id, error = %ErrorChain(&error), outcome, "a link was not sent");
                if is_tried_again {
                    return Ok(true);
                }
            } else {
                LINKS.increment(["sent"]);
                tracing::info!(user.id = %account.id, "sent a link to set a password");
            }
        }
        forgotten_passwords::forget(&self.pool, &email).await?;
        Ok(true)
    }
}

fn mail(to: &Email, link: &str) -> Mail {
    let minutes = LIFETIME.whole_minutes();
    Mail {
        to: to.clone(),
        subject: "Set a new password".to_owned(),
        text: format!(
            "Somebody asked for a new password for the account of this address.\n\n\
             If it was you, set one here within {minutes} minutes:\n\n{link}\n\n\
             If it was not you, there is nothing to do: the password is as it was.\n"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_the_page_with_the_token_in_its_place() {
        let url: ResetUrl = "https://shop.example/reset?token={token}&from=mail".parse().unwrap();
        let token = ResetToken::from("abc".to_owned());
        assert_eq!(url.with(&token), "https://shop.example/reset?token=abc&from=mail");
        for wrong in ["", "shop.example/{token}", "https://shop.example/", "https://a/{token}{token}"] {
            assert!(wrong.parse::<ResetUrl>().is_err(), "{wrong}");
        }
    }
}
