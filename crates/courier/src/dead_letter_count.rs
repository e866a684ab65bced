//! Shows how many messages of a service's queue were given up and wait for a person.

use std::convert::Infallible;
use std::time::Duration;

use ecommerce_contract::{Service, topology};
use ecommerce_runtime::ErrorChain;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::Error;
use crate::connection::{ANSWER, Session};
use crate::metrics::DEAD_LETTERS;

const EVERY: Duration = Duration::from_secs(5);

/// Looks for as long as it is asked, on channels of its own.
pub(crate) async fn show(session: &Session, service: Service) -> Infallible {
    let mut look = interval(EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        match count(session, service).await {
            Ok(letters) => DEAD_LETTERS.set([topology::queue(service)], letters.into()),
            Err(error) => {
                tracing::warn!(error = %ErrorChain(&error), "unable to count the dead letters; looking again");
            }
        }
    }
}

async fn count(session: &Session, service: Service) -> Result<u32, Error> {
    let channel = session.another_channel().await?;
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
    let queue = topology::dead_letter_queue(service);
    let asked = timeout(ANSWER, channel.queue_declare(queue.into(), passive, FieldTable::default())).await;
    match asked.map_err(|_| Error::TimedOut)?.map_err(Error::from) {
        Ok(queue) => {
            channel.close(200, "goodbye".into()).await?;
            Ok(queue.message_count())
        }
        Err(error) if error.is_not_found() => {
            // Somebody has deleted it, and while everybody is connected nobody makes it again.
            let channel = session.another_channel().await?;
            crate::topology::declare(&channel).await?;
            channel.close(200, "goodbye".into()).await?;
            Ok(0)
        }
        Err(error) => Err(error),
    }
}
