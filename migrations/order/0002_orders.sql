-- Orders. The row alone decides what becomes of an order: every change locks it first.
create table orders (
  id              uuid primary key,                 -- UUIDv7: sorts by the time of placing
  customer_id     uuid not null,
  status          text not null check (status in
                    ('pending', 'awaiting_payment', 'paid', 'fulfilled', 'rejected', 'cancelled', 'expired', 'payment_failed')),
  currency        text not null check (currency ~ '^[A-Z]{3}$'),
  total           bigint not null,                  -- minor units of the currency
  payment_method  text,                             -- came with the order and is charged as soon as the stock is reserved
  payment_id      uuid unique,                      -- made when the payment is requested
  pay_by          timestamptz not null,             -- an order that is not paid by then expires
  amount_refunded bigint not null default 0 check (amount_refunded between 0 and total),
  reason          text,                             -- why it ended without a sale, as a stable word
  created_at      timestamptz not null,
  updated_at      timestamptz not null,

  -- 2^53 - 1: beyond it a reader of JSON that keeps numbers as doubles reads another total.
  constraint orders_total_is_exact check (total between 0 and 9007199254740991)
);
create index orders_of_a_customer on orders (customer_id, id desc);
create index orders_by_deadline on orders (pay_by) where status in ('pending', 'awaiting_payment');

-- What was ordered, at the price of that moment.
create table order_lines (
  order_id   uuid not null references orders (id),
  line       smallint not null,                     -- from 0, in the order of the request
  product_id uuid not null,
  quantity   integer not null check (quantity > 0),
  unit_price bigint not null,                       -- minor units of the order's currency
  primary key (order_id, line),
  constraint order_lines_unit_price_is_exact check (unit_price between 0 and 9007199254740991)
);
