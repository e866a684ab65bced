//! One refund, from its committed row to its recorded result. A refund is never declined: it is tried until it is made.

use ecommerce_contract::Envelope;
use ecommerce_postgres::outbox;
use ecommerce_runtime::ErrorChain;
use sqlx::PgConnection;

use super::{Attempts, Past};
use crate::metrics::{REFUNDS_MADE, REFUNDS_OF_UNKNOWN_OUTCOME};
use crate::provider::{self, RefundOrder};
use crate::store::payments;
use crate::store::refunds::{self, Refund};

/// Why a refund stays open.
#[derive(Debug, thiserror::Error)]
enum Unknown {
    #[error(transparent)]
    Provider(#[from] provider::Error),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl Attempts {
    /// Brings an open refund to its end, or lets go of it when its outcome is not known.
    pub(crate) async fn refund(&self, refund: &Refund, past: Past) -> Result<(), sqlx::Error> {
        match self.give_back_and_record(refund, past).await {
            Ok(()) => Ok(()),
            Err(error) => {
                REFUNDS_OF_UNKNOWN_OUTCOME.increment([]);
                tracing::warn!(
                    refund.id = %refund.key,
                    payment.id = %refund.payment_id,
                    request.id = refund.request_id,
                    error = %ErrorChain(&error),
                    "unable to tell whether a refund was made; it will be looked up"
                );
                let let_go = async |connection: &mut PgConnection| {
                    refunds::let_go(connection, refund.key, self.holder, self.clock.now()).await
                };
                self.pool.run(let_go).await
            }
        }
    }

    async fn give_back_and_record(&self, refund: &Refund, past: Past) -> Result<(), Unknown> {
        self.give_back(refund, past).await?;
        Ok(self.record_refund(refund).await?)
    }

    async fn give_back(&self, refund: &Refund, past: Past) -> Result<(), provider::Error> {
        if past == Past::Unknown && self.provider.find_refund(refund.key).await? {
            return Ok(());
        }
        let order = RefundOrder { key: refund.key, charge: refund.charge, amount: refund.amount };
        self.provider.refund(order).await
    }

    /// Commits the refund, what it does to the payment and what it publishes.
    async fn record_refund(&self, refund: &Refund) -> Result<(), sqlx::Error> {
        let now = self.clock.now();
        let record = async |transaction: &mut PgConnection| {
            let locked = payments::lock(transaction, refund.payment_id).await?;
            let mut payment = locked.ok_or(sqlx::Error::RowNotFound)?;
            if !refunds::end(transaction, refund.key, now).await? {
                return Ok(None);
            }
            let effect = payment.refunded(refund.amount.amount());
            payments::update(transaction, std::slice::from_ref(&payment), now).await?;
            let published = effect.event.map(|event| Envelope::new(&self.clock, refund.request_id.clone(), event));
            outbox::append(transaction, published.as_slice()).await?;
            Ok::<_, sqlx::Error>(Some((payment, published)))
        };
        let Some((payment, published)) = self.pool.transaction(record).await? else { return Ok(()) };
        self.outgoing.send(published);
        REFUNDS_MADE.increment([]);
        tracing::info!(
            refund.id = %refund.key,
            payment.id = %payment.id,
            order.id = %payment.order_id,
            request.id = refund.request_id,
            "gave money back"
        );
        Ok(())
    }
}
