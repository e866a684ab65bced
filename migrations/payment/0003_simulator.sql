-- The simulator's ledger: what a payment provider would keep at its own side of the network. Nothing here refers to the
-- service's tables, and nothing there to these.
create schema simulator;

create table simulator.charges (
  key        text primary key,                      -- the idempotency key: the same key, the same charge
  amount     bigint not null check (amount >= 0),   -- minor units
  currency   text not null,
  method     text not null,
  status     text not null check (status in ('captured', 'declined', 'void')),  -- void: shall never take place
  code       text check ((code is not null) = (status = 'declined')),
  created_at timestamptz not null default now()
);

create table simulator.refunds (
  key        text primary key,                      -- the idempotency key, of refunds
  charge_key text not null references simulator.charges (key),
  amount     bigint not null check (amount > 0),    -- minor units
  created_at timestamptz not null default now()
);
create index refunds_of_a_charge on simulator.refunds (charge_key);
