use ecommerce_testing::Database;
use ecommerce_types::{Clock, Money};
use futures::future::join_all;

use super::*;

struct Bank {
    ledger: Ledger,
    clock: Clock,
}

impl Bank {
    async fn open() -> Self {
        let database = Database::create(crate::migrations()).await;
        Self { ledger: Ledger::new(database.service_pool()), clock: Clock::system() }
    }

    fn charge(&self) -> ChargeOrder {
        ChargeOrder { key: AttemptId(self.clock.new_id()), amount: euro(1_250), method: "tok_success".to_owned() }
    }

    fn refund(&self, charge: AttemptId, amount: i64) -> RefundOrder {
        RefundOrder { key: AttemptId(self.clock.new_id()), charge, amount: euro(amount) }
    }
}

fn euro(amount: i64) -> Money {
    Money::new(amount, "EUR".parse().unwrap()).unwrap()
}

fn refused<T>(answer: &Result<T, Error>) -> bool {
    matches!(answer, Err(Error::Refused(_)))
}

#[tokio::test]
async fn the_same_key_has_the_same_answer_whatever_would_happen_now() {
    let bank = Bank::open().await;
    let charge = bank.charge();
    assert_eq!(bank.ledger.find_charge(charge.key).await.unwrap(), None);
    let first = bank.ledger.charge(&charge, Entry::Captured).await.unwrap();
    assert_eq!(bank.ledger.charge(&charge, Entry::Declined("card_declined".to_owned())).await.unwrap(), first);
    assert_eq!(bank.ledger.find_charge(charge.key).await.unwrap(), Some(Entry::Captured));
}

#[tokio::test]
async fn of_many_at_once_with_one_key_one_is_entered_and_all_are_told_of_it() {
    let bank = Bank::open().await;
    let (charge, others) = (bank.charge(), [(); 20].map(|()| bank.charge()));
    let captured = join_all(others.iter().map(|other| bank.ledger.charge(other, Entry::Captured)));
    let (captured, answers) = tokio::join!(
        captured,
        join_all(
            [Entry::Captured, Entry::Void, Entry::Captured, Entry::Void].map(|end| bank.ledger.charge(&charge, end))
        )
    );
    assert!(captured.into_iter().all(|entry| entry.unwrap() == Entry::Captured));
    let kept = bank.ledger.find_charge(charge.key).await.unwrap();
    assert!(answers.into_iter().all(|entry| Some(entry.unwrap()) == kept), "{kept:?}");
}

#[tokio::test]
async fn the_same_key_for_another_charge_is_refused() {
    let bank = Bank::open().await;
    let charge = bank.charge();
    bank.ledger.charge(&charge, Entry::Captured).await.unwrap();
    let dollar = Money::new(1_250, "USD".parse().unwrap()).unwrap();
    for other in [
        ChargeOrder { amount: euro(1_251), ..charge.clone() },
        ChargeOrder { amount: dollar, ..charge.clone() },
        ChargeOrder { method: "tok_declined".to_owned(), ..charge.clone() },
    ] {
        assert!(refused(&bank.ledger.charge(&other, Entry::Captured).await));
    }
}

#[tokio::test]
async fn a_void_charge_never_takes_place_and_one_that_has_is_not_voided() {
    let bank = Bank::open().await;
    let never = bank.charge();
    assert_eq!(bank.ledger.charge(&never, Entry::Void).await.unwrap(), Entry::Void);
    assert_eq!(bank.ledger.charge(&never, Entry::Captured).await.unwrap(), Entry::Void);
    let made = bank.charge();
    bank.ledger.charge(&made, Entry::Captured).await.unwrap();
    assert_eq!(bank.ledger.charge(&made, Entry::Void).await.unwrap(), Entry::Captured);
}

#[tokio::test]
async fn a_refund_is_made_once_for_its_key_and_of_captured_money_alone() {
    let bank = Bank::open().await;
    let (captured, declined) = (bank.charge(), bank.charge());
    bank.ledger.charge(&captured, Entry::Captured).await.unwrap();
    bank.ledger.charge(&declined, Entry::Declined("card_declined".to_owned())).await.unwrap();
    assert!(refused(&bank.ledger.refund(&bank.refund(declined.key, 1)).await));
    assert!(refused(&bank.ledger.refund(&bank.refund(bank.charge().key, 1)).await));

    let refund = bank.refund(captured.key, 1_000);
    assert!(!bank.ledger.find_refund(refund.key).await.unwrap());
    bank.ledger.refund(&refund).await.unwrap();
    bank.ledger.refund(&refund).await.unwrap();
    assert!(bank.ledger.find_refund(refund.key).await.unwrap());
    assert!(refused(&bank.ledger.refund(&RefundOrder { amount: euro(1), ..refund }).await));
    bank.ledger.refund(&bank.refund(captured.key, 250)).await.unwrap();
    assert!(refused(&bank.ledger.refund(&bank.refund(captured.key, 1)).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_at_once_never_give_back_more_than_was_captured() {
    let bank = Bank::open().await;
    let charge = bank.charge();
    bank.ledger.charge(&charge, Entry::Captured).await.unwrap();
    let refunds: Vec<RefundOrder> = (0..10).map(|_| bank.refund(charge.key, 500)).collect();
    let made = join_all(refunds.iter().map(|refund| bank.ledger.refund(refund))).await;
    assert_eq!(made.iter().filter(|answer| answer.is_ok()).count(), 2);
}
