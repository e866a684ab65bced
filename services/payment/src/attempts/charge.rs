//! One charge, from its committed row to its recorded result.

use ecommerce_contract::Envelope;
use ecommerce_idempotency::StoredAnswer;
use ecommerce_postgres::outbox;
use ecommerce_runtime::ErrorChain;
use sqlx::PgConnection;

use super::{Attempts, Past};
use crate::answer;
use crate::domain::{AttemptId, ChargeOutcome, Origin, Payment};
use crate::metrics::{CHARGES_ENDED, CHARGES_OF_UNKNOWN_OUTCOME};
use crate::provider::{self, ChargeOrder};
use crate::store::charges::{self, Charge};
use crate::store::payments;
use crate::store::refunds::{self, NewRefund};

/// Why a charge stays open.
#[derive(Debug, thiserror::Error)]
enum Unknown {
    #[error(transparent)]
    Provider(#[from] provider::Error),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl Attempts {
    /// Brings an open charge to its end, or lets go of it when its outcome is not known. Answers what its customer is told, if
    /// there is one.
    pub(crate) async fn charge(&self, charge: &Charge, past: Past) -> Result<Option<StoredAnswer>, sqlx::Error> {
        match self.ask_and_record(charge, past).await {
            Ok(answer) => Ok(answer),
            Err(error) => {
                CHARGES_OF_UNKNOWN_OUTCOME.increment([]);
                tracing::warn!(
                    charge.id = %charge.key,
                    payment.id = %charge.payment_id,
                    request.id = charge.request_id,
                    error = %ErrorChain(&error),
                    "unable to tell how a charge has ended; it will be looked up"
                );
                self.let_go(charge).await
            }
        }
    }

    async fn ask_and_record(&self, charge: &Charge, past: Past) -> Result<Option<StoredAnswer>, Unknown> {
        let outcome = self.ask(charge, past).await?;
        Ok(self.record(charge, &outcome).await?)
    }

    /// Has the provider answer how the charge ends. One that has become pointless before it was made, or that is withheld,
    /// is never made.
    async fn ask(&self, charge: &Charge, past: Past) -> Result<ChargeOutcome, Unknown> {
        let order = ChargeOrder { key: charge.key, amount: charge.amount, method: charge.method.clone() };
        let payment = self.payment(charge).await?;
        if payment.chargeable(self.clock.now()).is_err() {
            return Ok(self.provider.void(order).await?);
        }
        if charge.withheld {
            return Ok(match self.provider.void(order).await? {
                ChargeOutcome::Abandoned => ChargeOutcome::Withheld,
                ended => ended,
            });
        }
        if past == Past::Unknown
            && let Some(outcome) = self.provider.find_charge(charge.key).await?
        {
            return Ok(outcome);
        }
        Ok(self.provider.charge(order).await?)
    }

    /// Commits the outcome, what it does to the payment, what it publishes and what it gives back.
    async fn record(&self, charge: &Charge, outcome: &ChargeOutcome) -> Result<Option<StoredAnswer>, sqlx::Error> {
        let now = self.clock.now();
        let record = async |transaction: &mut PgConnection| {
            let locked = payments::lock(transaction, charge.payment_id).await?;
            let mut payment = locked.ok_or(sqlx::Error::RowNotFound)?;
            let effect = payment.charge_ended(charge.origin, outcome);
            let answer = for_customer(charge, || answer::ended(&payment, outcome, now, charge.request_id.clone()))?;
            if !charges::end(transaction, charge.key, outcome, answer.as_ref(), now).await? {
                // Another process has taken it over and was quicker; the provider has told both the same.
                return Ok::<_, sqlx::Error>((None, charges::find_answer(transaction, charge.key).await?));
            }
            payments::update(transaction, std::slice::from_ref(&payment), now).await?;
            if let Some(amount) = effect.refund {
                let refund = NewRefund {
                    key: AttemptId(self.clock.new_id()),
                    payment_id: payment.id,
                    amount,
                    request_id: charge.request_id.clone(),
                };
                refunds::insert(transaction, &[refund], self.hold(now), now).await?;
            }
            let published = effect.event.map(|event| Envelope::new(&self.clock, charge.request_id.clone(), event));
            outbox::append(transaction, published.as_slice()).await?;
            Ok::<_, sqlx::Error>((Some((payment, effect.refund.is_some(), published)), answer))
        };
        let (ended, answer) = self.pool.transaction(record).await?;
        let Some((payment, gives_back, published)) = ended else { return Ok(answer) };
        self.outgoing.send(published);
        if gives_back {
            self.work.notify();
        }
        CHARGES_ENDED.increment([outcome.as_str()]);
        tracing::info!(
            charge.id = %charge.key,
            charge.outcome = outcome.as_str(),
            payment.id = %payment.id,
            order.id = %payment.order_id,
            request.id = charge.request_id,
            "a charge has ended"
        );
        Ok(answer)
    }

    async fn payment(&self, charge: &Charge) -> Result<Payment, sqlx::Error> {
        let find = async |connection: &mut PgConnection| payments::find(connection, charge.payment_id).await;
        self.pool.run(find).await?.ok_or(sqlx::Error::RowNotFound)
    }

    async fn let_go(&self, charge: &Charge) -> Result<Option<StoredAnswer>, sqlx::Error> {
        let payment = self.payment(charge).await?;
        let answer = for_customer(charge, || answer::processing(&payment))?;
        let let_go = async |connection: &mut PgConnection| {
            charges::let_go(connection, charge.key, self.holder, answer.as_ref(), self.clock.now()).await?;
            // What stands there now, which is another's answer when another was quicker.
            charges::find_answer(connection, charge.key).await
        };
        self.pool.run(let_go).await
    }
}

/// The answer to whoever has asked for a charge; nobody has, when its method came with the order.
fn for_customer(
    charge: &Charge,
    answer: impl FnOnce() -> Result<StoredAnswer, serde_json::Error>,
) -> Result<Option<StoredAnswer>, sqlx::Error> {
    match charge.origin {
        Origin::Order => Ok(None),
        Origin::Customer => answer().map(Some).map_err(|error| sqlx::Error::Encode(error.into())),
    }
}
