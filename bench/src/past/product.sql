insert into products (id, sku, name, description, category, attributes, price_amount, price_currency)
select pg_temp.old_id(1, n), 'OLD-' || n, 'Mug ' || n, 'Blue.', 'category ' || n % 100, '{}', 1250, 'EUR'
from generate_series(1, :products) as n;

insert into stock (product_id, on_hand) select pg_temp.old_id(1, n), 1000 from generate_series(1, :products) as n;

-- Every second order was never marked as sent; the others were let go.
insert into reservations (order_id, state, lines, pay_by, updated_at)
select pg_temp.old_id(2, n), 'sold', jsonb_build_object(pg_temp.old_id(1, 1 + n % :products), 1), now() - interval '1 year',
  now() - interval '1 year'
from generate_series(2, :orders, 2) as n;

update reservations_let_go set up_to = pg_temp.old_id(2, :orders);
