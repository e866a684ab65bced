//! Whether a stack that says it is ready sells.

use tokio::task::JoinSet;

use crate::{Person, cluster, person};

/// How many people try it, one after the other, and how often each at once: enough to meet each connection of each pool, and fewer
/// logins of one than the twenty that last.
const PEOPLE: usize = 3;
const AT_ONCE: usize = 8;

/// Some who try whether the shop is open.
#[derive(Debug)]
pub struct Probe {
    emails: Vec<String>,
    product: String,
}

impl Probe {
    /// Customers, and something to buy.
    pub async fn new() -> Self {
        let mut emails = Vec::new();
        for _ in 0..PEOPLE {
            let email = format!("{}@example.com", person::unique());
            Person::registered(&email).await;
            emails.push(email);
        }
        Self { emails, product: Person::admin().await.sell(100_000).await }
    }

    /// Waits until the stack says that it is ready; from then on each login and each order succeeds at once.
    ///
    /// # Panics
    /// When one does not.
    pub async fn sells_when_ready(&self) {
        cluster::ready_stack().await;
        let mut placed = Vec::new();
        for email in &self.emails {
            let mut running = JoinSet::new();
            for _ in 0..AT_ONCE {
                let (email, product) = (email.clone(), self.product.clone());
                running.spawn(async move {
                    let buyer = Person::nobody().logged_in(&email).await;
                    let order = buyer.order(&product, 1, Some("tok_success")).await;
                    (buyer, order)
                });
            }
            placed.extend(running.join_all().await);
        }
        for (buyer, order) in placed {
            buyer.reaches(&order, "paid").await;
        }
    }
}
