-- The money of orders. A payment's row decides what becomes of it: every change locks it first.
create table payments (
  id              uuid primary key,                 -- made by order; UUIDv7: sorts by the time of the request
  order_id        uuid not null unique,
  customer_id     uuid not null,
  amount          bigint not null,                  -- minor units of the currency
  currency        text not null check (currency ~ '^[A-Z]{3}$'),
  status          text not null check (status in ('awaiting_payment', 'captured', 'failed', 'closed')),
  pay_by          timestamptz not null,             -- no charge begins after this
  declines        smallint not null default 0 check (declines >= 0),
  amount_captured bigint not null default 0 check (amount_captured in (0, amount)),
  amount_refunded bigint not null default 0 check (amount_refunded between 0 and amount_captured),
  created_at      timestamptz not null,
  updated_at      timestamptz not null,

  -- 2^53 - 1: beyond it a reader of JSON that keeps numbers as doubles reads another amount.
  constraint payments_amount_is_exact check (amount between 0 and 9007199254740991)
);
create index payments_of_a_customer on payments (customer_id, id desc);

-- Orders that were closed before their payment was requested: the request, when it comes, charges nothing.
create table closed_orders (
  order_id  uuid primary key,
  closed_at timestamptz not null
);

-- Attempts to charge a payment. Committed before the provider is called; the id is the idempotency key that it is given.
create table charges (
  id              uuid primary key,
  payment_id      uuid not null references payments (id),
  customer_id     uuid not null,                    -- the payment's: what was declined is counted by customer
  method          text not null,                    -- opaque to us: what the customer chose, as the provider names it
  status          text not null check (status in ('open', 'captured', 'declined', 'abandoned', 'withheld')),
  decline_code    text check ((decline_code is not null) = (status = 'declined')),
  request_id      text,                             -- of the request that caused it
  -- Which process may call the provider, and until when; after that any may take over, by looking the charge up first.
  holder          uuid not null,
  held_until      timestamptz not null,
  -- What a customer's request was named and what it was answered; absent when the method came with the order.
  requested_by    uuid,
  idempotency_key text,
  request_hash    bytea,                            -- SHA-256 of the body's meaning
  answer_status   smallint,
  answer_body     bytea,                            -- byte for byte
  created_at      timestamptz not null,
  updated_at      timestamptz not null,
  -- For an hour from then it counts among the customer's declines; one that is open, at every time.
  counts_from     timestamptz generated always as
    (case status when 'open' then 'infinity'::timestamptz when 'declined' then updated_at end) stored,
  check (num_nulls(requested_by, idempotency_key, request_hash) in (0, 3)),
  check (num_nulls(answer_status, answer_body) in (0, 2))
);
create unique index charges_one_open on charges (payment_id) where status = 'open';
create unique index charges_one_captured on charges (payment_id) where status = 'captured';
create index charges_by_hold on charges (held_until) where status = 'open';
create index charges_counted_for_a_customer on charges (customer_id, counts_from) where counts_from is not null;
create index charges_of_a_payment on charges (payment_id, created_at);

-- Attempts to give money back, under the same discipline.
create table refunds (
  id         uuid primary key,
  payment_id uuid not null references payments (id),
  charge_id  uuid not null references charges (id), -- the charge whose money it is
  amount     bigint not null check (amount between 1 and 9007199254740991), -- minor units of the payment's currency
  status     text not null check (status in ('open', 'refunded')),
  request_id text,
  holder     uuid not null,
  held_until timestamptz not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index refunds_by_hold on refunds (held_until) where status = 'open';
create index refunds_of_a_payment on refunds (payment_id);
