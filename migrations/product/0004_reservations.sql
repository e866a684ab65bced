-- What product knows of each order it has heard of, and so which of the order's later events still mean something.
create table reservations (
  order_id   uuid primary key,
  -- reserved:  all lines are set aside
  -- rejected:  none is; the order was told
  -- sold:      paid; the pieces are no longer here
  -- fulfilled: sent; the sale is final
  -- closed:    ended, and whatever was held was given back; of an order never heard of, a tombstone
  state      text not null,
  lines      jsonb not null,                       -- {product: pieces}, what was set aside, as a record also when it was given back
  pay_by     timestamptz not null,                 -- the order's payment deadline: nothing is set aside after it
  updated_at timestamptz not null default now(),

  constraint reservations_state_is_known check (state in ('reserved', 'rejected', 'sold', 'closed', 'fulfilled')),
  constraint reservations_lines_is_an_object check (jsonb_typeof(lines) = 'object')
);

-- What is reserved, for the count of what still is long after its deadline; and what has ended, to be let go a day after it. A change of
-- state writes one more entry into the primary key for their sake. A table of its own for what is reserved would cost more: a row, its
-- entries, and its end.
create index reservations_that_hold on reservations (pay_by) where state = 'reserved';
create index reservations_that_ended on reservations (pay_by) where state in ('rejected', 'closed', 'fulfilled');

-- The largest id of the orders that have been let go; one row. An order that is not known and has a larger id was never heard of.
create table reservations_let_go (
  is_one boolean primary key default true check (is_one),
  up_to  uuid not null
);
insert into reservations_let_go (up_to) values ('00000000-0000-0000-0000-000000000000');
