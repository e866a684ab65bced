//! A provider that captures what it had promised never to charge.

use ecommerce_contract::Event;
use ecommerce_contract::events::PaymentRequested;
use ecommerce_testing::{Client, eventually, throughout};
use time::Duration;

use crate::crash::{BEFORE_THE_CALL, NO_DELAY, Process};
use crate::shop::{AMOUNT, Shop, Sums, pay};

/// From the end of the time to pay until what was voided has been looked up, and a look that was given up comes again.
const LATER: Duration = Duration::minutes(20);
const EVERY_FIRST: &str = "not exists (select from simulator.charges)";
/// Both have been paid, and one is given back: of the sale only the service's books tell.
const AT_THE_PROVIDER: Sums = Sums { captured: 2 * AMOUNT, refunded: AMOUNT };
const OF_THE_SALE: Sums = Sums { captured: AMOUNT, refunded: 0 };

#[tokio::test]
async fn money_that_was_captured_after_a_void_is_seen_and_goes_back() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let wanted = paid_twice(&shop, &customer).await;
    assert_eq!(shop.ledger().await, Sums { captured: 2 * AMOUNT, refunded: 0 });
    shop.clock.advance(LATER);
    all_is_looked_up(&shop).await;
    assert_eq!((shop.ledger().await, shop.books().await), (AT_THE_PROVIDER, OF_THE_SALE));
    let refunded = "select count(*) from attempts as late join attempts as refund on refund.charge_id = late.id
                    where late.status = 'captured_late' and refund.status = 'refunded'";
    assert_eq!(shop.count(refunded).await, 1);

    // Its order is not told, and the sale stands: called off, it goes back as any other.
    assert!(matches!(shop.published().await, Event::PaymentCaptured(_)));
    assert_eq!(shop.broker.take("order").await, None);
    shop.close(&wanted).await;
    let Event::PaymentRefunded(refunded) = shop.published().await else { panic!("order is told otherwise") };
    assert_eq!((refunded.amount, refunded.refunded_total), (AMOUNT, AMOUNT));
    assert_eq!(shop.ledger().await, Sums { captured: 2 * AMOUNT, refunded: 2 * AMOUNT });
    assert_eq!(shop.books().await, Sums { captured: AMOUNT, refunded: AMOUNT });
}

#[tokio::test]
async fn money_that_comes_late_for_an_order_that_nobody_has_paid_goes_back() {
    for is_closed in [true, false] {
        let shop = Shop::open().await;
        let wanted = voided(&shop, &shop.customer()).await;
        if is_closed {
            shop.close(&wanted).await;
            shop.reaches(wanted.payment_id, "closed").await;
        }
        assert_eq!(captures_late(&shop).await, 1);
        shop.clock.advance(LATER);
        all_is_looked_up(&shop).await;
        assert_eq!(shop.ledger().await, Sums { captured: AMOUNT, refunded: AMOUNT });
        assert_eq!(shop.books().await, Sums { captured: 0, refunded: 0 });
        assert_eq!(shop.broker.take("order").await, None);
    }
}

#[tokio::test]
async fn a_charge_that_was_withheld_and_is_made_all_the_same_goes_back() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let wanted = shop.wanted(&customer, Some("tok_success"));
    let declined = "insert into declines select $1, $2, gen_random_uuid() from generate_series(1, 20)";
    let declined = sqlx::query(declined).bind(wanted.customer_id.0).bind(shop.clock.now());
    declined.execute(&shop.database.pool).await.unwrap();
    shop.publish(Event::PaymentRequested(wanted)).await;
    assert!(matches!(shop.published().await, Event::PaymentFailed(_)));
    assert_eq!(captures_late(&shop).await, 1);
    shop.clock.advance(LATER);
    all_is_looked_up(&shop).await;
    assert_eq!(shop.ledger().await, Sums { captured: AMOUNT, refunded: AMOUNT });
    assert_eq!(shop.broker.take("order").await, None);
}

#[tokio::test]
async fn a_promise_that_was_kept_is_looked_at_once_and_not_before_the_time_to_pay_is_over() {
    let shop = Shop::open().await;
    voided(&shop, &shop.customer()).await;
    let at_its_time = "select count(*) from voided_charges join payments on true
                       where due_at = pay_by + interval '2 minutes'";
    assert_eq!(shop.count(at_its_time).await, 1);
    shop.clock.advance(Duration::minutes(15));
    throughout(std::time::Duration::from_secs(3), "it is not looked up", || async {
        shop.count(at_its_time).await == 1
    })
    .await;
    shop.clock.advance(LATER);
    all_is_looked_up(&shop).await;
    assert_eq!(shop.ledger().await, Sums { captured: 0, refunded: 0 });
    assert_eq!(shop.count("select count(*) from attempts where status = 'abandoned'").await, 1);
}

#[tokio::test]
async fn a_charge_that_the_provider_could_not_be_asked_for_is_looked_up_again() {
    let shop = Shop::open().await;
    paid_twice(&shop, &shop.customer()).await;
    shop.as_owner("alter table simulator.charges rename to away").await;
    shop.clock.advance(LATER);
    let put_off =
        "select count(*) from voided_charges join payments on true where due_at > pay_by + interval '2 minutes'";
    eventually("it is put off", || async { (shop.count(put_off).await == 1).then_some(()) }).await;
    shop.as_owner("alter table simulator.away rename to charges").await;
    shop.clock.advance(LATER);
    all_is_looked_up(&shop).await;
    assert_eq!((shop.ledger().await, shop.books().await), (AT_THE_PROVIDER, OF_THE_SALE));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_that_look_at_once_give_it_back_once() {
    let mut shop = Shop::open().await;
    paid_twice(&shop, &shop.customer()).await;
    shop.stop().await;
    shop.clock.advance(LATER);
    for _ in 0..2 {
        // Each is still waiting for the provider when the other begins.
        shop.start_with(|config| config.provider.simulator.simulator_answer_delay_milliseconds = 2_500).await;
    }
    eventually("it goes back", || async {
        sqlx::query("update voided_charges set due_at = 'epoch'").execute(&shop.database.pool).await.unwrap();
        (shop.ledger().await.refunded == AMOUNT).then_some(())
    })
    .await;
    throughout(std::time::Duration::from_secs(3), "one refund", || async {
        shop.count("select count(*) from attempts where kind = 'refund'").await == 1
    })
    .await;
    all_is_looked_up(&shop).await;
    assert_eq!((shop.ledger().await, shop.books().await), (AT_THE_PROVIDER, OF_THE_SALE));
}

#[tokio::test]
async fn whatever_step_kills_the_process_the_next_gives_it_back_once() {
    let steps = [
        // While the charge is looked up; before the refund is made; before it is recorded.
        (BEFORE_THE_CALL, "select", "select count(*) from voided_charges where due_at > now()"),
        (
            NO_DELAY,
            "select from simulator.charges for update",
            "select count(*) from attempts where status = 'captured_late'",
        ),
        (NO_DELAY, "select from payments for update", "select count(*) from simulator.refunds"),
    ];
    for (delay, locked, is_there) in steps {
        let mut shop = Shop::open().await;
        paid_twice(&shop, &shop.customer()).await;
        shop.stop().await;
        sqlx::query("update voided_charges set due_at = 'epoch'").execute(&shop.database.pool).await.unwrap();
        let mut lock = shop.database.pool.begin().await.unwrap();
        sqlx::query(locked).execute(&mut *lock).await.unwrap();
        let process = Process::start(&shop, delay).await;
        eventually("the process is at that step", || async { (shop.count(is_there).await == 1).then_some(()) }).await;
        drop(process);
        lock.rollback().await.unwrap();
        shop.clock.advance(LATER);
        shop.start().await;
        all_is_looked_up(&shop).await;
        assert_eq!((shop.ledger().await, shop.books().await), (AT_THE_PROVIDER, OF_THE_SALE), "{is_there}");
        assert_eq!(shop.count("select count(*) from simulator.refunds").await, 1);
    }
}

/// The customer was told that the first was not charged, and has paid again; then the provider captures the first.
async fn paid_twice(shop: &Shop, customer: &Client) -> PaymentRequested {
    let wanted = voided(shop, customer).await;
    assert_eq!(pay(customer, wanted.payment_id, "tok_success").await.status, 200);
    assert_eq!(captures_late(shop).await, 1);
    wanted
}

/// A payment whose only charge the provider has promised never to make.
async fn voided(shop: &Shop, customer: &Client) -> PaymentRequested {
    promises(shop, EVERY_FIRST).await;
    let wanted = shop.awaiting(customer).await;
    assert_eq!(pay(customer, wanted.payment_id, "tok_success").await.status, 409);
    wanted
}

/// From now on the provider promises never to make charges of which this is so, as if they had been voided before they arrived.
pub(crate) async fn promises(shop: &Shop, condition: &str) {
    shop.as_owner(&format!(
        "create function simulator.promise() returns trigger language plpgsql as $$ begin
           if new.status <> 'captured' or not ({condition}) then return new; end if;
           insert into simulator.charges (key, amount, currency, method, status)
             values (new.key, new.amount, new.currency, new.method, 'void');
           return null;
         end $$;
         create trigger promise before insert on simulator.charges for each row execute function simulator.promise()"
    ))
    .await;
}

/// The provider captures what it has promised never to charge; answers how many.
pub(crate) async fn captures_late(shop: &Shop) -> u64 {
    let captured = sqlx::query("update simulator.charges set status = 'captured' where status = 'void'");
    captured.execute(&shop.database.pool).await.unwrap().rows_affected()
}

/// Waits until nothing waits to be looked up, and all that goes back has gone.
pub(crate) async fn all_is_looked_up(shop: &Shop) {
    eventually("all is looked up", || async {
        (shop.count("select count(*) from voided_charges").await == 0).then_some(())
    })
    .await;
    shop.settles().await;
}
