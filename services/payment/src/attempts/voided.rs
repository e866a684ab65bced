//! Looks up once more what the provider has promised never to charge, and gives back what it has charged all the same: why and when
//! says [`crate::domain::voided`], how replicas share the work [`crate::store::voided`].
//!
//! Nothing here charges, and nothing of it waits in memory: it is looked for when it is due, a few at a time.

use std::time::Duration;

use ecommerce_postgres::Unreadable;
use ecommerce_runtime::{ErrorChain, Shutdown, every};
use sqlx::PgConnection;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::call::Unknown;
use super::{Attempts, Known};
use crate::domain::{Attempt, AttemptId, ChargeOutcome, Kind};
use crate::metrics::CHARGES_CAPTURED_LATE;
use crate::store::{refunds, voided};

/// How often it looks for what is due.
const EVERY: Duration = Duration::from_secs(2);

/// Runs until the process stops.
pub(crate) async fn run(attempts: Attempts, shutdown: Shutdown) {
    let unreadable = Mutex::new(Unreadable::default());
    every(EVERY, shutdown.clone(), || look_up_all(&attempts, &unreadable, &shutdown)).await;
}

async fn look_up_all(attempts: &Attempts, unreadable: &Mutex<Unreadable>, shutdown: &Shutdown) {
    let mut unreadable = unreadable.lock().await;
    while !shutdown.is_stopped() {
        match look(attempts, &mut unreadable).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                let error = ErrorChain(&error);
                tracing::warn!(%error, "unable to look for charges that were voided; it is tried again");
                return;
            }
        }
    }
}

/// Looks up some of what is due, as many at once as an eighth of the calls to the provider. Whether there may be more, and the
/// provider answers.
async fn look(attempts: &Attempts, unreadable: &mut Unreadable) -> Result<bool, sqlx::Error> {
    let limit = (attempts.most_calls / 8).max(1);
    let now = attempts.clock.now();
    let take_due = async |connection: &mut PgConnection| {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        voided::take_due(connection, unreadable.ids(), now, now + attempts.hold_time, limit).await
    };
    let due = attempts.pool.run(take_due).await?;
    let mut is_more = due.len() == limit;
    // Where there is no room, they have been put off with the rest.
    unreadable.remember(due.unreadable.into_iter().map(|key| key.0));
    let mut looks = JoinSet::new();
    for charge in due.attempts {
        let attempts = attempts.clone();
        looks.spawn(async move { attempts.look_up_voided(&charge).await });
    }
    while let Some(looked) = looks.join_next().await {
        is_more &= looked.unwrap_or(false);
    }
    Ok(is_more)
}

impl Attempts {
    /// Whether that is done; if not, it is due again in a while.
    async fn look_up_voided(&self, charge: &Attempt) -> bool {
        let looked = self.end_voided(charge).await;
        if let Err(error) = &looked {
            tracing::warn!(
                attempt.id = %charge.key,
                payment.id = %charge.payment_id,
                error = %ErrorChain(error),
                "unable to look up a charge that was voided; it is tried again"
            );
        }
        looked.is_ok()
    }

    async fn end_voided(&self, charge: &Attempt) -> Result<(), Unknown> {
        if self.provider.find_charge(charge.key).await? == Some(ChargeOutcome::Captured) {
            Ok(self.give_back_late(charge).await?)
        } else {
            let forget = async |connection: &mut PgConnection| voided::forget(connection, charge.key).await;
            Ok(self.pool.run(forget).await?)
        }
    }

    async fn give_back_late(&self, charge: &Attempt) -> Result<(), sqlx::Error> {
        let kind = Kind::Refund { charge: charge.key };
        let refund = Attempt { key: AttemptId(self.clock.new_id()), kind, ..charge.clone() };
        // A charge of nothing has nothing to give back.
        let refund = Some(refund).filter(|refund| refund.amount.amount() > 0);
        let now = self.clock.now();
        let give_back = async |transaction: &mut PgConnection| {
            let is_ours = voided::was_captured(transaction, charge.key, now).await?;
            if is_ours {
                refunds::begin(transaction, refund.as_slice(), self.holder, now).await?;
            }
            Ok::<_, sqlx::Error>(is_ours)
        };
        if !self.pool.transaction(give_back).await? {
            return Ok(()); // another replica has
        }
        CHARGES_CAPTURED_LATE.increment([]);
        tracing::error!(
            attempt.id = %charge.key,
            refund.id = refund.as_ref().map(|refund| tracing::field::display(refund.key)),
            payment.id = %charge.payment_id,
            request.id = charge.request_id,
            "the provider has captured a charge that it had promised never to make; the money goes back"
        );
        self.queue.push(refund.map(|refund| (refund, Known::Sound)));
        Ok(())
    }
}
