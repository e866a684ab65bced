//! Finds the attempts that wait to be brought to their end: at once those that this process wrote, and every second those
//! that another left behind or that were let go of.

use std::time::Duration;

use ecommerce_runtime::Shutdown;
use sqlx::PgConnection;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::{Attempts, Past};
use crate::store::{charges, refunds};

/// How often it looks for what others have left.
const LOOK: Duration = Duration::from_secs(1);
/// The most calls to the provider at once; what a customer waits for is not counted.
const MOST_AT_ONCE: usize = 32;
/// As many of them are kept from charges, which come first otherwise: money goes back however much there is to charge.
const FOR_REFUNDS: usize = 8;

/// The calls to the provider.
#[derive(Debug, Default)]
struct Calls {
    charges: JoinSet<()>,
    refunds: JoinSet<()>,
}

impl Calls {
    fn room(&self) -> usize {
        MOST_AT_ONCE.saturating_sub(self.charges.len() + self.refunds.len())
    }

    fn room_for_charges(&self) -> usize {
        self.room().min((MOST_AT_ONCE - FOR_REFUNDS).saturating_sub(self.charges.len()))
    }

    fn forget_ended(&mut self) {
        while self.charges.try_join_next().is_some() {}
        while self.refunds.try_join_next().is_some() {}
    }
}

/// Runs until the process stops; then ends what it has begun and leaves the rest to the other replicas.
pub(crate) async fn run(attempts: Attempts, shutdown: Shutdown) {
    let mut calls = Calls::default();
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let (full, full_for_charges) = (calls.room() == 0, calls.room_for_charges() == 0);
        let left_by_others = tokio::select! {
            () = shutdown.stopped() => break,
            () = attempts.work.notified() => false,
            _ = look.tick() => true,
            Some(_) = calls.charges.join_next(), if full_for_charges => false,
            Some(_) = calls.refunds.join_next(), if full => false,
        };
        calls.forget_ended();
        if let Err(error) = begin(&attempts, &mut calls, left_by_others).await {
            tracing::warn!(%error, "unable to look for open attempts; it is tried again");
        }
    }
    while calls.charges.join_next().await.is_some() {}
    while calls.refunds.join_next().await.is_some() {}
    if let Err(error) = leave(&attempts).await {
        tracing::warn!(%error, "unable to leave open attempts to the other replicas; they wait for the end of the hold");
    }
}

/// Begins with as many attempts as there is room for. Of what it takes over, nothing is known; what it has written and
/// is not at work on, it has never begun, unless [`AtWork`](super::AtWork) remembers that it has.
async fn begin(attempts: &Attempts, calls: &mut Calls, left_by_others: bool) -> Result<(), sqlx::Error> {
    let begin = async |connection: &mut PgConnection| {
        let now = attempts.clock.now();
        let at_work = attempts.at_work.list();
        let room = limit(calls.room_for_charges());
        for charge in charges::held(connection, attempts.holder, now, &at_work, room).await? {
            begin_charge(attempts, calls, charge, Past::None);
        }
        for refund in refunds::held(connection, attempts.holder, now, &at_work, limit(calls.room())).await? {
            begin_refund(attempts, calls, refund, Past::None);
        }
        if left_by_others {
            let hold = attempts.hold(now);
            let room = limit(calls.room_for_charges());
            for charge in charges::take_over(connection, hold, now, &at_work, room).await? {
                begin_charge(attempts, calls, charge, Past::Unknown);
            }
            for refund in refunds::take_over(connection, hold, now, &at_work, limit(calls.room())).await? {
                begin_refund(attempts, calls, refund, Past::Unknown);
            }
        }
        Ok(())
    };
    attempts.pool.run(begin).await
}

fn limit(room: usize) -> i64 {
    i64::try_from(room).unwrap_or_default()
}

fn begin_charge(attempts: &Attempts, calls: &mut Calls, charge: charges::Charge, past: Past) {
    let Some(guard) = attempts.at_work.begin(charge.key, past) else { return };
    let attempts = attempts.clone();
    calls.charges.spawn(async move {
        match attempts.charge(&charge, guard.past).await {
            Ok(_) => guard.over(),
            Err(error) => {
                tracing::warn!(charge.id = %charge.key, %error, "unable to let go of a charge; it will be looked up");
            }
        }
    });
}

fn begin_refund(attempts: &Attempts, calls: &mut Calls, refund: refunds::Refund, past: Past) {
    let Some(guard) = attempts.at_work.begin(refund.key, past) else { return };
    let attempts = attempts.clone();
    calls.refunds.spawn(async move {
        match attempts.refund(&refund, guard.past).await {
            Ok(()) => guard.over(),
            Err(error) => {
                tracing::warn!(refund.id = %refund.key, %error, "unable to let go of a refund; it will be looked up");
            }
        }
    });
}

async fn leave(attempts: &Attempts) -> Result<(), sqlx::Error> {
    let leave = async |connection: &mut PgConnection| {
        let now = attempts.clock.now();
        let at_work = attempts.at_work.list();
        charges::let_go_of_all(connection, attempts.holder, now, &at_work).await?;
        refunds::let_go_of_all(connection, attempts.holder, now, &at_work).await
    };
    attempts.pool.run(leave).await
}
