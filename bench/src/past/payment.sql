-- Their attempts have gone: see the retention of attempts.
insert into payments (id, order_id, customer_id, amount, currency, status, charge_id, pay_by, amount_captured, created_at, updated_at)
select pg_temp.old_id(3, n), pg_temp.old_id(2, n), pg_temp.old_id(4, n % 10000), 1250, 'EUR', 'captured', pg_temp.old_id(5, n),
  now() - interval '1 year', 1250, now() - interval '1 year', now() - interval '1 year'
from generate_series(1, :orders) as n;

insert into simulator.charges (key, amount, currency, method, status, created_at)
select pg_temp.old_id(5, n)::text, 1250, 'EUR', 'tok_success', 'captured', now() - interval '1 year'
from generate_series(1, :orders) as n;
