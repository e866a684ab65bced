//! A payment provider that moves no real money: what a client of one sees of it, timeouts included.
//!
//! The far side is a ledger that commits apart from this service and works on when its client has stopped waiting. Methods:
//! `tok_success` is captured, `tok_declined` declined, `tok_timeout` captured while the answer gets lost; any other is declined.

mod ledger;

use std::future::Future;
use std::time::Duration;

use self::ledger::{Entry, Ledger};
use super::{ChargeOrder, Error, RefundOrder};
use crate::domain::{AttemptId, ChargeOutcome};
use ecommerce_postgres::Pool;

const SUCCESS: &str = "tok_success";
const DECLINED: &str = "tok_declined";
const TIMEOUT: &str = "tok_timeout";

/// How far away the simulator is.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
#[group(skip)] // every crate calls its own `Settings`
pub struct Settings {
    /// Milliseconds until a request arrives at the simulator.
    #[arg(long, env = "SIMULATOR_REQUEST_DELAY_MILLISECONDS", default_value_t = 0)]
    pub simulator_request_delay_milliseconds: u64,
    /// Milliseconds from an entry in its ledger until the answer is back.
    #[arg(long, env = "SIMULATOR_ANSWER_DELAY_MILLISECONDS", default_value_t = 0)]
    pub simulator_answer_delay_milliseconds: u64,
}

/// The simulator as a client sees it.
#[derive(Debug, Clone)]
pub(crate) struct Simulator {
    ledger: Ledger,
    request_delay: Duration,
    answer_delay: Duration,
    /// How long the client waits for an answer.
    timeout: Duration,
}

impl Simulator {
    /// A simulator whose ledger is in the schema `simulator` of this database.
    pub(crate) fn new(pool: Pool, settings: Settings, timeout: Duration) -> Self {
        Self {
            ledger: Ledger::new(pool),
            request_delay: Duration::from_millis(settings.simulator_request_delay_milliseconds),
            answer_delay: Duration::from_millis(settings.simulator_answer_delay_milliseconds),
            timeout,
        }
    }

    pub(crate) fn knows(method: &str) -> bool {
        [SUCCESS, DECLINED, TIMEOUT].contains(&method)
    }

    pub(crate) async fn charge(&self, order: ChargeOrder) -> Result<ChargeOutcome, Error> {
        let entry = match order.method.as_str() {
            SUCCESS | TIMEOUT => Entry::Captured,
            DECLINED => Entry::Declined("card_declined".to_owned()),
            _ => Entry::Declined("unknown_payment_method".to_owned()),
        };
        let answer_is_lost = order.method == TIMEOUT;
        let ledger = self.ledger.clone();
        let entry = self.ask(answer_is_lost, async move { ledger.charge(&order, entry).await }).await?;
        Ok(entry.into())
    }

    pub(crate) async fn find_charge(&self, key: AttemptId) -> Result<Option<ChargeOutcome>, Error> {
        let ledger = self.ledger.clone();
        let entry = self.ask(false, async move { ledger.find_charge(key).await }).await?;
        Ok(entry.map(ChargeOutcome::from))
    }

    pub(crate) async fn void(&self, order: ChargeOrder) -> Result<ChargeOutcome, Error> {
        let ledger = self.ledger.clone();
        let entry = self.ask(false, async move { ledger.charge(&order, Entry::Void).await }).await?;
        Ok(entry.into())
    }

    pub(crate) async fn refund(&self, order: RefundOrder) -> Result<(), Error> {
        let ledger = self.ledger.clone();
        self.ask(false, async move { ledger.refund(&order).await }).await
    }

    pub(crate) async fn find_refund(&self, key: AttemptId) -> Result<bool, Error> {
        let ledger = self.ledger.clone();
        self.ask(false, async move { ledger.find_refund(key).await }).await
    }

    /// Has the far side do `work` and waits for the answer. The far side is a task of its own, which a client that goes away
    /// does not stop; nor is a statement of its ledger ever cut off half-way.
    async fn ask<T: Send + 'static>(
        &self,
        answer_is_lost: bool,
        work: impl Future<Output = Result<T, ledger::Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let (request_delay, answer_delay) = (self.request_delay, self.answer_delay);
        let far_side = tokio::spawn(async move {
            travel(request_delay).await;
            let answer = work.await;
            travel(answer_delay).await;
            answer
        });
        let answer = async {
            let answer = far_side.await;
            if answer_is_lost {
                std::future::pending::<()>().await;
            }
            answer
        };
        match tokio::time::timeout(self.timeout, answer).await {
            Err(_) => Err(Error::TimedOut),
            Ok(Err(panic)) => Err(Error::Unavailable(panic.into())),
            Ok(Ok(answer)) => answer.map_err(Error::from),
        }
    }
}

async fn travel(delay: Duration) {
    if !delay.is_zero() {
        #[expect(clippy::disallowed_methods, reason = "the way across the network that is played here takes its time")]
        tokio::time::sleep(delay).await;
    }
}

impl From<Entry> for ChargeOutcome {
    fn from(entry: Entry) -> Self {
        match entry {
            Entry::Captured => Self::Captured,
            Entry::Declined(code) => Self::Declined(code),
            Entry::Void => Self::Abandoned,
        }
    }
}

impl From<ledger::Error> for Error {
    fn from(error: ledger::Error) -> Self {
        match error {
            ledger::Error::Refused(reason) => Self::Refused(reason),
            ledger::Error::Database(error) => Self::Unavailable(error.into()),
        }
    }
}
