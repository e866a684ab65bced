//! One load for many that want the same at once.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OnceCell;

/// Loads in flight by key. Nothing is remembered once a load has ended.
#[derive(Debug)]
pub(crate) struct SingleFlight<V> {
    flights: Mutex<HashMap<String, Arc<OnceCell<V>>>>,
}

impl<V: Clone> SingleFlight<V> {
    pub(crate) fn new() -> Self {
        Self { flights: Mutex::default() }
    }

    /// The value of `load`, or of another's that is in flight for this key. When the one that loads is dropped, the next that
    /// waits loads with its own.
    pub(crate) async fn get_or_load<F>(&self, key: &str, load: impl FnOnce() -> F) -> V
    where
        F: Future<Output = V>,
    {
        let cell = Arc::clone(self.flights.lock().entry(key.to_owned()).or_default());
        let guard = FlightGuard { flights: self, key, cell };
        guard.cell.get_or_init(load).await.clone()
    }

    /// Whoever comes from now on does not join a load that has begun before.
    pub(crate) fn forget(&self, key: &str) {
        self.flights.lock().remove(key);
    }
}

/// One who waits for a load. The first to leave after its end forgets it, and so does the last to leave before.
struct FlightGuard<'a, V> {
    flights: &'a SingleFlight<V>,
    key: &'a str,
    cell: Arc<OnceCell<V>>,
}

impl<V> Drop for FlightGuard<'_, V> {
    fn drop(&mut self) {
        let mut flights = self.flights.flights.lock();
        let own = flights.get(self.key).is_some_and(|cell| Arc::ptr_eq(cell, &self.cell));
        // Two hold the cell of a flight that only this guard is left in: the map and the guard.
        if own && (self.cell.initialized() || Arc::strong_count(&self.cell) == 2) {
            flights.remove(self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn many_that_want_the_same_at_once_cause_one_load() {
        let (flights, loads) = (SingleFlight::new(), AtomicUsize::new(0));
        let (release, held) = oneshot::channel::<()>();
        let first = flights.get_or_load("key", || async {
            loads.fetch_add(1, Ordering::SeqCst);
            let _ = held.await;
            7
        });
        let second = flights.get_or_load("key", || async {
            loads.fetch_add(1, Ordering::SeqCst);
            8
        });
        let release = async { release.send(()) };
        assert_eq!(tokio::join!(first, second, release), (7, 7, Ok(())));
        assert_eq!(loads.load(Ordering::SeqCst), 1);
        assert!(flights.flights.lock().is_empty());
    }

    #[tokio::test]
    async fn who_comes_after_a_change_does_not_join_a_load_from_before() {
        let flights = SingleFlight::new();
        let (release, held) = oneshot::channel::<()>();
        let old = flights.get_or_load("key", || async {
            let _ = held.await;
            "old"
        });
        let new = async {
            flights.forget("key");
            let new = flights.get_or_load("key", || async { "new" }).await;
            let _ = release.send(());
            new
        };
        assert_eq!(tokio::join!(old, new), ("old", "new"));
        assert!(flights.flights.lock().is_empty());
    }

    #[tokio::test]
    async fn a_load_whose_client_went_away_is_taken_over_or_forgotten() {
        let flights = SingleFlight::new();
        let mut gone = Box::pin(flights.get_or_load("key", std::future::pending::<u8>));
        let mut waiting = Box::pin(flights.get_or_load("key", || async { 9 }));
        assert!(futures_poll(&mut gone).await.is_none());
        assert!(futures_poll(&mut waiting).await.is_none());
        drop(gone);
        assert_eq!(waiting.await, 9);

        let mut alone = Box::pin(flights.get_or_load("key", std::future::pending::<u8>));
        assert!(futures_poll(&mut alone).await.is_none());
        drop(alone);
        assert!(flights.flights.lock().is_empty());
    }

    /// One poll.
    async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        tokio::select! {
            biased;
            output = future => Some(output),
            () = std::future::ready(()) => None,
        }
    }
}
