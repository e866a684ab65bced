//! Takes out what has had its time, so that the tables of this crate do not grow for ever.

use std::time::Duration;

use ecommerce_runtime::Shutdown;
use sqlx::PgPool;
use tokio::time::MissedTickBehavior;

const EVERY: Duration = Duration::from_mins(10);
/// How many rows one statement takes out, so that none holds many.
const BATCH: u64 = 5_000;

/// Runs until the process stops. Idempotency keys are kept for 24 hours, received messages for 30 days: longer than any
/// message lies in a queue, dead letters that a person sends again included.
pub async fn run(pool: PgPool, shutdown: Shutdown) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.stopped() => return,
            _ = tick.tick() => {}
        }
        if let Err(error) = tidy(&pool).await {
            tracing::warn!(%error, "unable to tidy up; it is tried again later");
        }
    }
}

async fn tidy(pool: &PgPool) -> Result<(), sqlx::Error> {
    while forget_idempotency_keys(pool).await? == BATCH {}
    while forget_messages(pool).await? == BATCH {}
    Ok(())
}

async fn forget_idempotency_keys(pool: &PgPool) -> Result<u64, sqlx::Error> {
    let forgotten = sqlx::query!(
        "delete from idempotency_keys where ctid in (
           select ctid from idempotency_keys where created_at < now() - interval '24 hours'
           limit $1 for update skip locked)",
        BATCH.cast_signed()
    );
    Ok(forgotten.execute(pool).await?.rows_affected())
}

async fn forget_messages(pool: &PgPool) -> Result<u64, sqlx::Error> {
    let forgotten = sqlx::query!(
        "delete from inbox where ctid in (
           select ctid from inbox where received_at < now() - interval '30 days'
           limit $1 for update skip locked)",
        BATCH.cast_signed()
    );
    Ok(forgotten.execute(pool).await?.rows_affected())
}
