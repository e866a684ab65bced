-- Every second order was never marked as sent.
insert into orders (id, customer_id, status, version, currency, total, lines, payment_method, payment_id, pay_by, created_at, updated_at)
select pg_temp.old_id(2, n), pg_temp.old_id(4, n % 10000), (array['paid', 'fulfilled'])[1 + n % 2], 3 + n % 2, 'EUR', 1250,
  jsonb_build_array(jsonb_build_object('product_id', pg_temp.old_id(1, 1 + n % :products), 'sku', 'OLD-' || 1 + n % :products,
    'name', 'Mug', 'quantity', 1, 'unit_price', 1250)),
  'tok_success', pg_temp.old_id(3, n), now() - interval '1 year', now() - interval '1 year', now() - interval '1 year'
from generate_series(1, :orders) as n;

insert into open_orders (order_id) select pg_temp.old_id(2, n) from generate_series(2, :orders, 2) as n;

insert into order_skus (sku, order_id)
select 'OLD-' || 1 + n % :products, pg_temp.old_id(2, n) from generate_series(1, :orders) as n;

insert into order_history (order_id, version, at, status, amount_refunded)
select pg_temp.old_id(2, n), step, now() - interval '1 year',
  (array['pending', 'awaiting_payment', 'paid', 'fulfilled'])[step], 0
from generate_series(1, :orders) as n, generate_series(1, 3 + n % 2) as step;
