//! A process that is killed at its worst moment, and the one that comes after it.

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

use ecommerce_contract::{Event, Service};
use ecommerce_testing::{Client, Link, eventually};
use ecommerce_types::{PaymentId, Role};
use secrecy::ExposeSecret as _;
use time::Duration;

use crate::shop::{AMOUNT, Shop, Sums, pay_with_key};

/// Longer than any of these stories.
const FOR_EVER: &str = "60000";

/// The real binary; killed when it is dropped, as `kill -9` does.
pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    /// Starts one whose requests to the provider, or whose answers, are on their way for ever.
    pub(crate) async fn start(shop: &Shop, delay: &str) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_payment"))
            .env("HTTP_ADDRESS", free.to_string())
            .env("OPERATIONS_ADDRESS", "127.0.0.1:0")
            .env("API_KEY_HASHES_FILE", shop.keys.known().api_key_hashes_file)
            .env("DATABASE_URL", shop.database.settings.database_url.expose_secret())
            .env("AMQP_URL", shop.broker.settings(Service::Payment).amqp_url.expose_secret())
            .env("PAYMENT_PROVIDER_TIMEOUT_MILLISECONDS", FOR_EVER)
            .env(delay, FOR_EVER)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        shop.broker.ready().await;
        Self { child, address: free }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) const BEFORE_THE_CALL: &str = "SIMULATOR_REQUEST_DELAY_MILLISECONDS";
pub(crate) const NO_DELAY: &str = "NO_DELAY_MILLISECONDS";
const BEFORE_THE_RECORD: &str = "SIMULATOR_ANSWER_DELAY_MILLISECONDS";

#[tokio::test]
async fn an_order_whose_process_was_killed_is_charged_once_by_the_next() {
    for (killed, entries) in [(BEFORE_THE_CALL, 0), (BEFORE_THE_RECORD, 1)] {
        let mut shop = Shop::without_service().await;
        let process = Process::start(&shop, killed).await;
        let mut wanted = shop.wanted(&shop.customer(), Some("tok_success"));
        wanted.pay_by += Duration::HOUR;
        shop.publish(Event::PaymentRequested(wanted.clone())).await;
        reach(&shop, entries).await;
        drop(process);
        assert_eq!(shop.charges().await, entries);

        shop.clock.advance(Duration::minutes(3)); // the hold of the dead process is over
        shop.start().await;
        let Event::PaymentCaptured(captured) = shop.published().await else { panic!("order is told otherwise") };
        assert_eq!(captured.order_id, wanted.order_id);
        ends_with_one_charge(&shop).await;
    }
}

#[tokio::test]
async fn a_customer_whose_request_was_killed_asks_again_and_gets_the_answer_of_the_one_charge() {
    for (killed, entries) in [(BEFORE_THE_CALL, 0), (BEFORE_THE_RECORD, 1)] {
        let mut shop = Shop::without_service().await;
        let process = Process::start(&shop, killed).await;
        shop.address = process.address;
        let customer = shop.customer();
        let mut wanted = shop.wanted(&customer, None);
        wanted.pay_by += Duration::HOUR;
        shop.publish(Event::PaymentRequested(wanted.clone())).await;
        shop.reaches(wanted.payment_id, "awaiting_payment").await;
        // The request dies with its process.
        let request = tokio::spawn({
            let customer = customer.clone();
            async move { pay_with_key(&customer, wanted.payment_id, "tok_success", "k").await }
        });
        reach(&shop, entries).await;
        drop(process);
        request.await.unwrap_err();

        shop.clock.advance(Duration::seconds(30)); // the dead process still holds the charge
        shop.start().await;
        let customer =
            Client::person(shop.address, &shop.keys, Role::Customer).with("x-user-id", wanted.customer_id.to_string());
        let early = pay_with_key(&customer, wanted.payment_id, "tok_success", "k").await;
        assert_eq!((early.status, early.code()), (409, "idempotency_key_in_use"));

        shop.clock.advance(Duration::minutes(3)); // and now no more
        let answer = eventually("the request is answered", || async {
            let answer = pay_with_key(&customer, wanted.payment_id, "tok_success", "k").await;
            (answer.code() != "idempotency_key_in_use").then_some(answer)
        })
        .await;
        assert_eq!((answer.status, &answer.body["status"]), (200, &"captured".into()));
        let again = pay_with_key(&customer, wanted.payment_id, "tok_success", "k").await;
        assert_eq!(again.bytes, answer.bytes);
        ends_with_one_charge(&shop).await;
    }
}

#[tokio::test]
async fn a_charge_that_was_never_sent_is_never_sent_after_the_time_to_pay() {
    let mut shop = Shop::without_service().await;
    let process = Process::start(&shop, BEFORE_THE_CALL).await;
    shop.publish(Event::PaymentRequested(shop.wanted(&shop.customer(), Some("tok_success")))).await;
    reach(&shop, 0).await;
    drop(process);
    shop.clock.advance(Duration::HOUR);
    shop.start().await;
    shop.settles().await;
    let nothing = Sums { captured: 0, refunded: 0 };
    assert_eq!((shop.ledger().await, shop.books().await), (nothing, nothing));
    assert_eq!(shop.count("select count(*) from attempts where status = 'abandoned'").await, 1);
}

#[tokio::test]
async fn money_that_a_killed_process_took_for_an_order_that_is_closed_by_then_goes_back() {
    let mut shop = Shop::without_service().await;
    let process = Process::start(&shop, BEFORE_THE_RECORD).await;
    let wanted = shop.wanted(&shop.customer(), Some("tok_success"));
    shop.publish(Event::PaymentRequested(wanted.clone())).await;
    reach(&shop, 1).await;
    drop(process);
    shop.start().await; // the dead process still holds the charge
    shop.close(&wanted).await;
    shop.reaches(wanted.payment_id, "closed").await;
    shop.clock.advance(Duration::HOUR);
    assert!(matches!(shop.published().await, Event::PaymentRefunded(refunded) if refunded.refunded_total == AMOUNT));
    let both = Sums { captured: AMOUNT, refunded: AMOUNT };
    assert_eq!((shop.ledger().await, shop.books().await), (both, both));
}

#[tokio::test]
async fn a_refund_whose_process_was_killed_is_made_once_by_the_next() {
    for (killed, entries) in [(BEFORE_THE_CALL, 0), (BEFORE_THE_RECORD, 1)] {
        let mut shop = Shop::open().await;
        let wanted = shop.wanted(&shop.customer(), Some("tok_success"));
        shop.publish(Event::PaymentRequested(wanted.clone())).await;
        assert!(matches!(shop.published().await, Event::PaymentCaptured(_)));
        shop.stop().await;
        let process = Process::start(&shop, killed).await;
        shop.close(&wanted).await;
        eventually("the refund is begun", || async {
            let begun = shop.count("select count(*) from attempts where kind = 'refund' and status = 'open'").await;
            let made = shop.count("select count(*) from simulator.refunds").await;
            ((begun, made) == (1, entries)).then_some(())
        })
        .await;
        drop(process);
        shop.clock.advance(Duration::minutes(3));
        shop.start().await;
        assert!(
            matches!(shop.published().await, Event::PaymentRefunded(refunded) if refunded.refunded_total == AMOUNT)
        );
        let both = Sums { captured: AMOUNT, refunded: AMOUNT };
        assert_eq!((shop.ledger().await, shop.books().await), (both, both));
    }
}

#[tokio::test]
async fn a_result_that_the_database_was_not_there_to_take_is_looked_up_and_not_charged_anew() {
    let mut shop = Shop::without_service().await;
    let link = Link::to(shop.database.settings.database_url.expose_secret()).await;
    shop.start_with(|config| {
        config.postgres.database_url = link.url.to_string().into();
        config.provider.simulator.simulator_answer_delay_milliseconds = 300;
    })
    .await;
    let customer = shop.customer();
    let id = shop.awaiting(&customer).await.payment_id;
    let (answer, ()) = tokio::join!(pay_with_key(&customer, id, "tok_success", "k"), async {
        reach(&shop, 1).await;
        link.cut();
        // The provider finds the charge, and refuses to be asked for it anew.
        let changed = "update simulator.charges set method = 'tok_of_another'";
        sqlx::query(changed).execute(&shop.database.pool).await.unwrap();
    });
    assert_eq!((answer.status, answer.code()), (503, "database_unavailable"));
    assert_eq!(answer.header("retry-after"), Some("1"));
    link.mend();
    let answer = eventually("the request is answered", || async {
        let answer = pay_with_key(&customer, id, "tok_success", "k").await;
        (answer.status != 503 && answer.code() != "idempotency_key_in_use").then_some(answer)
    })
    .await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &"captured".into()));
    ends_with_one_charge(&shop).await;
}

#[tokio::test]
async fn a_process_that_gives_up_leaves_alone_what_another_holds_by_then() {
    let shop = Shop::open_with(|config| config.provider.payment_provider_timeout_milliseconds = 1_000).await;
    let customer = shop.customer();
    let id = shop.awaiting(&customer).await.payment_id;
    let another = "with alive as (insert into holders values ('ffffffff-ffff-ffff-ffff-ffffffffffff', '2100-01-01') returning holder)
                   update open_attempts set holder = alive.holder from alive";
    let (answer, ()) = tokio::join!(pay_with_key(&customer, id, "tok_timeout", "k"), async {
        reach(&shop, 1).await;
        sqlx::query(another).execute(&shop.database.pool).await.unwrap();
    });
    assert_eq!((answer.status, &answer.body["status"]), (202, &"processing".into()));
    let held = "select count(*) from open_attempts where holder = 'ffffffff-ffff-ffff-ffff-ffffffffffff'";
    assert_eq!(shop.count(held).await, 1);
    assert_eq!(pay_with_key(&customer, id, "tok_timeout", "k").await.bytes, answer.bytes);
}

/// The connection broke after the commit, and before the answer to it.
#[tokio::test]
async fn a_charge_that_was_written_without_its_writer_being_told_is_made() {
    let shop = Shop::open().await;
    let wanted = shop.awaiting(&shop.customer()).await;
    eventually("the process lives", || async { (shop.count("select count(*) from holders").await == 1).then_some(()) })
        .await;
    let written = "with begun as (
           insert into attempts (id, kind, payment_id, customer_id, amount, currency, method, status, created_at, updated_at)
           select gen_random_uuid(), 'charge', id, customer_id, amount, currency, 'tok_success', 'open', now(), now()
           from payments where id = $1
           returning id, customer_id)
         insert into open_attempts (attempt_id, customer_id, holder, due_at)
         select id, customer_id, holder, now() - interval '1 minute' from begun, holders";
    sqlx::query(written).bind(wanted.payment_id.0).execute(&shop.database.pool).await.unwrap();
    shop.reaches(wanted.payment_id, "captured").await;
    ends_with_one_charge(&shop).await;
}

#[tokio::test]
async fn an_attempt_that_does_not_read_holds_up_no_other_and_is_left_to_the_version_that_wrote_it() {
    let mut shop = Shop::without_service().await;
    shop.as_owner("alter table attempts drop constraint attempts_kind_check").await;
    let left = "with left_behind as (
           insert into attempts (id, kind, payment_id, customer_id, amount, currency, method, status, created_at, updated_at)
           values (gen_random_uuid(), $1, $2, gen_random_uuid(), 1250, $3, case $1 when 'charge' then 'tok_success' end, 'open', now(), now())
           returning id, customer_id)
         insert into open_attempts (attempt_id, customer_id, holder, due_at)
         select id, customer_id, gen_random_uuid(), now() from left_behind";
    shop.start().await;
    let wanted = shop.awaiting(&shop.customer()).await;
    for (kind, currency, payment) in [
        ("payout", "EUR", PaymentId::new(&shop.clock)),
        ("charge", "of another version", PaymentId::new(&shop.clock)),
        ("charge", "EUR", wanted.payment_id),
    ] {
        let left = sqlx::query(left).bind(kind).bind(payment.0).bind(currency);
        left.execute(&shop.database.pool).await.unwrap();
    }
    shop.clock.advance(Duration::minutes(3));
    shop.reaches(wanted.payment_id, "captured").await;
    let free = "select count(*) from open_attempts where holder = '00000000-0000-0000-0000-000000000000'";
    assert_eq!((shop.count("select count(*) from open_attempts").await, shop.count(free).await), (2, 2));
    assert_eq!(shop.charges().await, 1);
}

/// Waits until one charge is committed here and so many are at the provider.
async fn reach(shop: &Shop, entries: i64) {
    eventually("the charge is begun", || async {
        let begun = shop.count("select count(*) from attempts where status = 'open'").await;
        ((begun, shop.charges().await) == (1, entries)).then_some(())
    })
    .await;
}

async fn ends_with_one_charge(shop: &Shop) {
    shop.settles().await;
    let once = Sums { captured: AMOUNT, refunded: 0 };
    assert_eq!((shop.ledger().await, shop.books().await), (once, once));
    let under_its_key = "select count(*) from attempts join simulator.charges ledger on ledger.key = attempts.id::text";
    assert_eq!((shop.charges().await, shop.count(under_its_key).await), (1, 1));
}
