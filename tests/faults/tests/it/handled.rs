//! Which events the consumers of this process have handled: whose effect is committed, as their logs say.

use std::collections::HashSet;
use std::fmt::Debug;
use std::sync::{LazyLock, Mutex, Once};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber, subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::{EnvFilter, Registry};
use uuid::Uuid;

static HANDLED: LazyLock<Mutex<HashSet<Uuid>>> = LazyLock::new(Mutex::default);
static LISTENS: Once = Once::new();

/// From now on what is handled in this process is kept.
pub(crate) fn listen() {
    LISTENS.call_once(|| {
        let consumers = Registry::default().with(Ids.with_filter(EnvFilter::new("ecommerce_courier::consumer=debug")));
        subscriber::set_global_default(consumers).unwrap();
    });
}

/// Those of these events that were not handled.
pub(crate) fn missing_of(events: &HashSet<Uuid>) -> HashSet<Uuid> {
    events.difference(&HANDLED.lock().unwrap()).copied().collect()
}

struct Ids;

impl<S: Subscriber> Layer<S> for Ids {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        if line.tells_of_an_effect {
            HANDLED.lock().unwrap().extend(line.id);
        }
    }
}

#[derive(Default)]
struct Line {
    id: Option<Uuid>,
    tells_of_an_effect: bool,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = format!("{value:?}");
        match field.name() {
            "event.id" => self.id = text.parse().ok(),
            "message" => self.tells_of_an_effect = text == "handled an event",
            _ => {}
        }
    }
}
