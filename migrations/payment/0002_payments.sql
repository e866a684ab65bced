-- The money of orders. A payment's row decides what becomes of it: every change locks it first. What was requested stays, as the books;
-- a tombstone goes after eight days (docs/adr/0029-what-has-ended-goes-after-a-day.md).
create table payments (
  id              uuid primary key,                 -- made by order; UUIDv7: sorts by the time of the request
  order_id        uuid not null unique,
  customer_id     uuid,                             -- null, as all that a request says: a tombstone, closed before it was requested
  amount          bigint,                           -- minor units of the currency
  currency        text check (currency ~ '^[A-Z]{3}$'),
  status          text not null check (status in ('awaiting_payment', 'captured', 'failed', 'closed')),
  pay_by          timestamptz,                      -- no charge begins after this
  declines        smallint not null default 0 check (declines >= 0),
  charge_id       uuid,                             -- the attempt that captured the money
  amount_captured bigint not null default 0 check (amount_captured in (0, amount)),
  amount_refunded bigint not null default 0 check (amount_refunded between 0 and amount_captured),
  created_at      timestamptz not null,
  updated_at      timestamptz not null,

  constraint payments_are_requested_or_closed check (
    num_nulls(customer_id, amount, currency, pay_by) = case when customer_id is null and status = 'closed' then 4 else 0 end),
  constraint payments_name_the_charge_of_their_money check (amount_captured = 0 or charge_id is not null),
  -- 2^53 - 1: beyond it a reader of JSON that keeps numbers as doubles reads another amount.
  constraint payments_amount_is_exact check (amount between 0 and 9007199254740991)
) with (fillfactor = 75);                           -- room in each page, so that a changed row stays in its own
create index payments_of_a_customer on payments (customer_id, id desc);
create index payments_not_requested on payments (created_at) where customer_id is null;

-- Attempts to move money: charges and refunds. Committed before the provider is called; the id is the idempotency key that it is
-- given. What has ended goes after a day; what was captured late stays, with what gave it back: no payment tells of it.
create table attempts (
  id              uuid primary key,                 -- UUIDv7: sorts by age
  kind            text not null check (kind in ('charge', 'refund')),
  payment_id      uuid not null,
  customer_id     uuid not null,
  amount          bigint not null check (amount between 0 and 9007199254740991), -- minor units of the currency
  currency        text not null,
  method          text check ((method is not null) = (kind = 'charge')),   -- opaque to us: what the customer chose, as the provider names it
  charge_id       uuid check ((charge_id is not null) = (kind = 'refund')), -- the charge whose money it is
  status          text not null,
  decline_code    text check ((decline_code is not null) = (status = 'declined')),
  request_id      text,                             -- of the request that caused it
  -- What a customer's request was named and what it was answered; absent when nobody waits for it.
  requested_by    uuid,
  idempotency_key text,
  request_hash    bytea,                            -- SHA-256 of the body's meaning
  answer_status   smallint,
  answer_body     bytea,                            -- byte for byte
  created_at      timestamptz not null,
  updated_at      timestamptz not null,
  check (case kind
    -- captured_late: after the provider had promised never to make it, and beside whatever else its payment has captured
    when 'charge' then status in ('open', 'captured', 'declined', 'abandoned', 'withheld', 'captured_late')
    else status in ('open', 'refunded') end),
  check (num_nulls(requested_by, idempotency_key, request_hash) in (0, 3)),
  check (num_nulls(answer_status, answer_body) in (0, 2))
) with (fillfactor = 75);
-- Of one payment, one charge at a time is open, and one in all is captured and kept.
create unique index attempts_one_charge on attempts (payment_id) where kind = 'charge' and status in ('open', 'captured');
create index attempts_of_a_payment on attempts (payment_id, created_at);

-- Those that are open, and who may call the provider for them.
create table open_attempts (
  attempt_id  uuid primary key,
  customer_id uuid not null,
  holder      uuid not null,                        -- the process that is at it; nil: nobody
  due_at      timestamptz not null                  -- not taken over before, also when the holder is no more
);
create index open_attempts_of_a_customer on open_attempts (customer_id);

-- Charges that the provider has promised never to make, until they have been looked up once more.
create table voided_charges (
  attempt_id uuid primary key,
  due_at     timestamptz not null                   -- after the payment's pay_by; put off by whoever is looking it up
);
create index voided_charges_by_due on voided_charges (due_at);

-- Processes, as long as they say that they live; what others hold may be taken over, by looking it up first.
create table holders (
  holder      uuid primary key,
  alive_until timestamptz not null
);

-- Methods that were declined, for as long as they count against their customer, and an hour more.
create table declines (
  customer_id uuid not null,
  declined_at timestamptz not null,
  attempt_id  uuid not null,
  primary key (customer_id, declined_at, attempt_id)
);
create index declines_by_age on declines (declined_at);
