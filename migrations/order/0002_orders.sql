-- Orders. The row alone decides what becomes of an order. No column that changes is indexed, so that a changed row stays in its page.
create table orders (
  id              uuid primary key,                 -- UUIDv7: sorts by the time of placing
  customer_id     uuid not null,
  status          text not null check (status in
                    ('pending', 'awaiting_payment', 'paid', 'fulfilled', 'rejected', 'cancelled', 'expired', 'payment_failed')),
  version         integer not null,                 -- how often it has changed, its placing included
  currency        text not null check (currency ~ '^[A-Z]{3}$'),
  total           bigint not null,                  -- minor units of the currency
  lines           jsonb not null,                   -- [{product_id, sku, name, quantity, unit_price}] as at the placing
  payment_method  text,                             -- came with the order and is charged as soon as the stock is reserved
  payment_id      uuid,                             -- made when the payment is requested
  pay_by          timestamptz not null,             -- an order that is not paid by then expires
  amount_refunded bigint not null default 0 check (amount_refunded between 0 and total),
  reason          text,                             -- why it ended without a sale, as a stable word
  created_at      timestamptz not null,
  updated_at      timestamptz not null,

  -- 2^53 - 1: beyond it a reader of JSON that keeps numbers as doubles reads another total.
  constraint orders_total_is_exact check (total between 0 and 9007199254740991)
) with (fillfactor = 50);                           -- an order changes three times on its way, within moments
create index orders_of_a_customer on orders (customer_id, id desc);

-- Which orders are of which skus, newest first for each: a b-tree of pairs, for a page of what most orders are of costs no more than
-- one of what hardly any is.
create table order_skus (
  sku      text not null,
  order_id uuid not null,
  primary key (sku, order_id)
);

-- Orders that wait for something: for their money (until pay_by), or, paid, to be sent.
create table open_orders (
  order_id uuid primary key,
  pay_by   timestamptz                              -- null: it is paid
);
create index open_orders_by_deadline on open_orders (pay_by) where pay_by is not null;
create index open_orders_that_are_paid on open_orders (order_id) where pay_by is null;

-- What became of an order, step by step. A step is written once: of two who change an order at the same time, one is refused by
-- the key.
create table order_history (
  order_id        uuid not null,
  version         integer not null,                 -- the order's, once it had changed so
  at              timestamptz not null,
  status          text not null,
  amount_refunded bigint not null,
  reason          text,
  by              uuid,                             -- the user who did it; null: nobody, it came of itself
  constraint order_history_tells_a_step_once primary key (order_id, version)
);

-- The lists by an end. A step is written and never changed, so this index holds up no change of an order, as one on orders would.
create index order_history_of_ends on order_history (status, order_id)
  where status in ('fulfilled', 'rejected', 'cancelled', 'expired', 'payment_failed');
