//! Commits how attempts have ended, as many at once as have come while the commit before was on its way.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ecommerce_contract::Envelope;
use ecommerce_idempotency::StoredAnswer;
use ecommerce_postgres::Batching;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Attempts, Known};
use crate::answer;
use crate::domain::{Attempt, AttemptId, Outcome, Payment, voided};
use crate::metrics::{CHARGES_ENDED, REFUNDS_MADE};
use crate::store::ending::{self, Ended, Ending};
use crate::store::payments;

/// An attempt with its end.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    attempt: Attempt,
    outcome: Outcome,
}

/// What the customer is told, if there is one who waits.
type Answer = Option<StoredAnswer>;

type Answers = HashMap<AttemptId, Answer>;

/// What waits to be committed.
pub(crate) type Recorder = Batching<Entry, Answer>;

impl Attempts {
    /// Commits how an attempt has ended, what that does to its payment, what it publishes and what it gives back. Where another
    /// process has taken it over and was quicker, nothing: the provider has told both the same.
    pub(super) async fn record(&self, attempt: Attempt, outcome: Outcome) -> Result<Answer, sqlx::Error> {
        self.recorder.run(Entry { attempt, outcome }, |batch| self.record_all(batch)).await
    }

    async fn record_all(&self, batch: Vec<Entry>) -> Result<Vec<Answer>, sqlx::Error> {
        // Hardly ever has another process been quicker, and then nothing is written.
        let (mut answers, ending) = match self.try_commit(&batch, false).await {
            Err(sqlx::Error::RowNotFound) => self.try_commit(&batch, true).await?,
            committed => committed?,
        };
        Self::tell(&batch, &ending);
        self.queue.push(ending.refunds.into_iter().map(|refund| (refund, Known::Sound)));
        self.outgoing.send(ending.events);
        Ok(batch.iter().map(|entry| answers.remove(&entry.attempt.key).flatten()).collect())
    }

    async fn try_commit(&self, batch: &[Entry], some_have_ended: bool) -> Result<(Answers, Ending), sqlx::Error> {
        let now = self.clock.now();
        let ids: BTreeSet<Uuid> = batch.iter().map(|entry| entry.attempt.payment_id.0).collect();
        let ids: Vec<Uuid> = ids.into_iter().collect();
        let commit = async |transaction: &mut PgConnection| {
            let locked = payments::lock(transaction, &ids).await?;
            let ended = if some_have_ended {
                let keys: Vec<Uuid> = batch.iter().map(|entry| entry.attempt.key.0).collect();
                ending::find_ended(transaction, &keys).await?
            } else {
                Answers::new()
            };
            let (answers, ending) = self.decide(batch, locked, ended)?;
            if !ending.attempts.is_empty() {
                ending::end(transaction, &ending, self.holder, now).await?;
            }
            Ok((answers, ending))
        };
        self.pool.transaction(commit).await
    }

    /// What the ends of a batch do, without those of attempts that have ended before.
    fn decide(
        &self,
        batch: &[Entry],
        locked: Vec<Payment>,
        mut answers: Answers,
    ) -> Result<(Answers, Ending), sqlx::Error> {
        let now = self.clock.now();
        let mut payments: BTreeMap<_, Payment> = locked.into_iter().map(|payment| (payment.id, payment)).collect();
        let mut ending = Ending::default();
        let mut touched = BTreeSet::new();
        for Entry { attempt, outcome } in batch {
            if answers.contains_key(&attempt.key) {
                continue;
            }
            let payment = payments.get_mut(&attempt.payment_id).ok_or(sqlx::Error::RowNotFound)?;
            touched.insert(payment.id);
            let effect = match outcome {
                Outcome::Charge(outcome) => payment.charge_ended(attempt.key, attempt.origin(), outcome),
                Outcome::Refunded => payment.refunded(attempt.charge(), attempt.amount.amount()),
            };
            let answer = match outcome {
                Outcome::Charge(outcome) if attempt.is_asked_for() => {
                    let answer = answer::ended(payment, outcome, now, attempt.request_id.clone());
                    Some(answer.map_err(|error| sqlx::Error::Encode(error.into()))?)
                }
                Outcome::Charge(_) | Outcome::Refunded => None,
            };
            ending
                .events
                .extend(effect.event.map(|event| Envelope::new(&self.clock, attempt.request_id.clone(), event)));
            if let Some(give_back) = effect.refund {
                let key = AttemptId(self.clock.new_id());
                let refund = Attempt::refund(key, payment, give_back, attempt.request_id.clone());
                ending.refunds.push(refund.map_err(|error| sqlx::Error::Encode(error.into()))?);
            }
            let look_up_at = outcome.is_a_promise().then(|| voided::look_up_at(payment.pay_by, now));
            answers.insert(attempt.key, answer.clone());
            ending.attempts.push(Ended { key: attempt.key, outcome: outcome.clone(), answer, look_up_at });
        }
        ending.payments = touched.iter().filter_map(|id| payments.remove(id)).collect();
        Ok((answers, ending))
    }

    fn tell(batch: &[Entry], ending: &Ending) {
        for Entry { attempt, outcome } in batch {
            if !ending.attempts.iter().any(|ended| ended.key == attempt.key) {
                continue;
            }
            match outcome {
                Outcome::Charge(outcome) => CHARGES_ENDED.increment([outcome.as_str()]),
                Outcome::Refunded => REFUNDS_MADE.increment([]),
            }
            tracing::info!(
                attempt.id = %attempt.key,
                attempt.kind = attempt.kind.as_str(),
                attempt.outcome = outcome.as_str(),
                payment.id = %attempt.payment_id,
                request.id = attempt.request_id,
                "an attempt has ended"
            );
        }
    }
}
