-- What product knows of each order it has heard of, and so which of the order's later events still mean something.
create table reservations (
  order_id   uuid primary key,
  -- reserved: all lines are set aside
  -- rejected: none is; the order was told
  -- sold:     paid; the pieces are no longer here
  -- closed:   ended, and whatever was held was given back; of an order never heard of, a tombstone
  state      text not null,
  lines      jsonb not null,                       -- {product: pieces}, what was set aside, as a record also when it was given back
  updated_at timestamptz not null default now(),

  constraint reservations_state_is_known check (state in ('reserved', 'rejected', 'sold', 'closed')),
  constraint reservations_lines_is_an_object check (jsonb_typeof(lines) = 'object')
) with (fillfactor = 75);                          -- room in each page, so that a changed row stays in its own
