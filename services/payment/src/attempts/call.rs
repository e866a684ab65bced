//! One attempt, from its committed row to its recorded result.

use std::time::Duration;

use ecommerce_idempotency::StoredAnswer;
use ecommerce_runtime::ErrorChain;
use sqlx::PgConnection;

use super::{Attempts, Known, Waiting};
use crate::answer;
use crate::domain::{Attempt, AttemptId, ChargeOutcome, Kind, Origin, Outcome, card_testing};
use crate::metrics::{CHARGES_OF_UNKNOWN_OUTCOME, REFUNDS_OF_UNKNOWN_OUTCOME};
use crate::provider::{self, ChargeOrder, RefundOrder};
use crate::store::{attempts, open_attempts, payments};

/// For so long nothing is asked again that was looked at when the attempt was written. An order that is closed meanwhile gets its
/// money back, as when it is closed a moment later.
const FRESH: Duration = Duration::from_secs(1);

/// Why it is not known how an attempt has ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unknown {
    #[error(transparent)]
    Provider(#[from] provider::Error),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl Attempts {
    /// Brings an open attempt to its end, or lets go of it when its outcome is not known. Answers what its customer is told, if
    /// there is one who waits.
    ///
    /// # Errors
    /// When neither could be written down: it is still held, and has to be tried again.
    pub(crate) async fn call(&self, waiting: &Waiting) -> Result<Option<StoredAnswer>, sqlx::Error> {
        let attempt = &waiting.attempt;
        match self.ask_and_record(waiting).await {
            Ok(answer) => Ok(answer),
            Err(error) => {
                match attempt.kind {
                    Kind::Charge { .. } => CHARGES_OF_UNKNOWN_OUTCOME.increment([]),
                    Kind::Refund { .. } => REFUNDS_OF_UNKNOWN_OUTCOME.increment([]),
                }
                tracing::warn!(
                    attempt.id = %attempt.key,
                    attempt.kind = attempt.kind.as_str(),
                    payment.id = %attempt.payment_id,
                    request.id = attempt.request_id,
                    error = %ErrorChain(&error),
                    "unable to tell how an attempt has ended; it will be looked up"
                );
                self.let_go(attempt).await
            }
        }
    }

    async fn ask_and_record(&self, waiting: &Waiting) -> Result<Option<StoredAnswer>, Unknown> {
        let attempt = &waiting.attempt;
        let outcome = match &attempt.kind {
            Kind::Charge { method, origin } => Outcome::Charge(self.charge(waiting, method, *origin).await?),
            Kind::Refund { charge } => {
                self.give_back(attempt, *charge, waiting.known).await?;
                Outcome::Refunded
            }
        };
        Ok(self.record(attempt.clone(), outcome).await?)
    }

    /// Has the provider answer how the charge ends. One that has become pointless before it was made, or that is withheld,
    /// is never made.
    async fn charge(&self, waiting: &Waiting, method: &str, origin: Origin) -> Result<ChargeOutcome, Unknown> {
        let attempt = &waiting.attempt;
        let order = ChargeOrder { key: attempt.key, amount: attempt.amount, method: method.to_owned() };
        if waiting.known != Known::Sound || waiting.since.elapsed() > FRESH {
            let (chargeable, declines) = self.look_at(attempt).await?;
            if !chargeable {
                return Ok(self.provider.void(order).await?);
            }
            if origin == Origin::Order && declines >= card_testing::MOST_DECLINES {
                return Ok(match self.provider.void(order).await? {
                    ChargeOutcome::Abandoned => ChargeOutcome::Withheld,
                    ended => ended,
                });
            }
        }
        if waiting.known == Known::Nothing
            && let Some(outcome) = self.provider.find_charge(attempt.key).await?
        {
            return Ok(outcome);
        }
        Ok(self.provider.charge(order).await?)
    }

    /// Whether the payment may still be charged, and how many methods of its customer were declined of late.
    async fn look_at(&self, attempt: &Attempt) -> Result<(bool, i64), sqlx::Error> {
        let now = self.clock.now();
        let look = async |connection: &mut PgConnection| {
            let payment = payments::find(connection, attempt.payment_id).await?.ok_or(sqlx::Error::RowNotFound)?;
            let declines = attempts::count_declines(connection, attempt.customer_id, now).await?;
            Ok((payment.chargeable(now).is_ok(), declines))
        };
        self.pool.run(look).await
    }

    async fn give_back(&self, refund: &Attempt, charge: AttemptId, known: Known) -> Result<(), provider::Error> {
        if known == Known::Nothing && self.provider.find_refund(refund.key).await? {
            return Ok(());
        }
        self.provider.refund(RefundOrder { key: refund.key, charge, amount: refund.amount }).await
    }

    async fn let_go(&self, attempt: &Attempt) -> Result<Option<StoredAnswer>, sqlx::Error> {
        let let_go = async |connection: &mut PgConnection| {
            let mut told = None;
            if attempt.is_asked_for() {
                let payment = payments::find(connection, attempt.payment_id).await?.ok_or(sqlx::Error::RowNotFound)?;
                told = Some(answer::processing(&payment).map_err(|error| sqlx::Error::Encode(error.into()))?);
            }
            open_attempts::let_go(connection, attempt.key, self.holder, told.as_ref(), self.clock.now()).await
        };
        self.pool.run(let_go).await
    }
}
