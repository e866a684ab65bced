//! What is too late, and what was let go.

use ecommerce_types::new_id_at;

use super::*;

#[test]
fn an_order_whose_time_is_over_takes_nothing_and_is_told_nothing() {
    let (clock, late, mug, _) = ids();
    let in_time = OrderId::new(&clock);
    let mut tables = Tables::with(&[(mug, 5)]);
    tables.now = pay_by();
    assert_eq!(tables.handle(&[placed(late, &[(mug, 2)])]).unwrap(), []);
    tables.now = pay_by() - Duration::microseconds(1);
    assert_eq!(tables.handle(&[placed(in_time, &[(mug, 2)])]).unwrap(), [reserved(in_time)]);
    assert_eq!((tables.orders.len(), tables.stock(mug)), (1, (5, 2)));
}

/// Of two processes whose clocks differ, one hears how the order ended and the other what it wants.
#[test]
fn a_tombstone_is_set_for_as_long_as_a_clock_that_is_behind_would_set_something_aside() {
    let (_, order, mug, _) = ids();
    let behind = Duration::seconds(20);
    for since in [-600, 0, 19, 59, 60, 3600].map(Duration::seconds) {
        let mut tables = Tables::with(&[(mug, 5)]);
        tables.now = pay_by() + since;
        tables.handle(&[closed(order)]).unwrap();
        tables.now -= behind;
        assert_eq!(tables.handle(&[placed(order, &[(mug, 2)])]).unwrap(), [], "{since}");
        assert_eq!(tables.stock(mug), (5, 0), "{since}");
    }
}

#[test]
fn the_payment_of_an_order_that_was_never_heard_of_is_told_from_that_of_one_that_was_let_go() {
    let (_, first, mug, _) = ids();
    let mut tables = Tables::with(&[(mug, 5)]);
    tables.handle(&[placed(first, &[(mug, 2)]), fulfilled(first)]).unwrap();
    tables.now = pay_by() + KEPT + Duration::SECOND;
    tables.let_go();
    assert_eq!((tables.orders.len(), tables.let_go), (0, first));
    let next = OrderId(new_id_at(tables.now));
    for event in [paid, fulfilled] {
        assert_eq!(tables.handle(&[event(first)]), Ok(Vec::new()));
        assert_eq!(tables.handle(&[event(next)]), Err(Contradiction::NothingReserved(next)));
    }
    assert_eq!(tables.stock(mug), (3, 0));
}

/// Orders of every fate, over days; what has ended is let go in between, and then everything that was ever said of them is said again, in
/// any order: the stock stands as it stood, and nothing is remembered but what is open.
#[test]
fn what_comes_again_after_an_order_was_let_go_does_nothing() {
    for seed in 0..100 {
        let mut random = StdRng::seed_from_u64(seed);
        let clock = Clock::system();
        let products: Vec<_> = (0..3).map(|_| (ProductId::new(&clock), random.random_range(10..40))).collect();
        let mut tables = Tables::with(&products);
        let (mut said, mut open) = (Vec::new(), BTreeSet::new());
        for _ in 0..60 {
            tables.now += Duration::minutes(random.random_range(1..600));
            tables.let_go();
            let order_id = OrderId(new_id_at(tables.now));
            let until = tables.now + Duration::minutes(15);
            let lines: Vec<_> = products.iter().map(|(id, _)| (*id, random.random_range(1..4))).collect();
            let mut story = vec![placed_until(until, order_id, &lines)];
            let is_reserved = tables.handle(&story).unwrap() == [reserved(order_id)];
            let end = match random.random_range(0..5) {
                0 if is_reserved => vec![paid(order_id)],
                1 if is_reserved => vec![paid(order_id), fulfilled(order_id)],
                2 if is_reserved => vec![paid(order_id), closed_until(until, order_id)],
                3 if is_reserved => vec![],
                _ => vec![closed_until(until, order_id)],
            };
            tables.handle(&end).unwrap();
            story.extend(end);
            if matches!(tables.orders[&order_id], State::Reserved | State::Sold) {
                open.insert(order_id);
            }
            said.extend(story);
        }
        tables.now += Duration::days(31);
        tables.let_go();
        assert_eq!(tables.orders.keys().copied().collect::<BTreeSet<_>>(), open, "seed {seed}");
        let before = tables.clone();
        // What is open goes on; of the others, everything comes again.
        said.retain(|event| !open.contains(&event.order_id()));
        for _ in 0..3 {
            said.shuffle(&mut random);
            for batch in said.chunks(7) {
                assert_eq!(tables.handle(batch).unwrap(), [], "seed {seed}");
            }
            assert_eq!(tables, before, "seed {seed}");
        }
    }
}
