-- What product knows of each order it has heard of, and so which of the order's later events still mean something.
create table reservations (
  order_id   uuid primary key,
  -- unknown:  no transaction leaves it so; the row is made with it to be locked, and decided before the commit
  -- reserved: all lines are set aside
  -- rejected: none is; the order was told
  -- sold:     paid; the pieces are no longer here
  -- closed:   ended, and whatever was held was given back; of an order never heard of, a tombstone
  state      text not null default 'unknown',
  updated_at timestamptz not null default now(),

  constraint reservations_state_is_known check (state in ('unknown', 'reserved', 'rejected', 'sold', 'closed'))
) with (fillfactor = 70);

-- What is set aside or sold, line by line. A closed order keeps its lines, as a record; a rejected one has none.
create table reservation_lines (
  order_id   uuid not null references reservations (order_id),
  product_id uuid not null references products (id),
  quantity   bigint not null,

  primary key (order_id, product_id),
  constraint reservation_lines_quantity_is_positive check (quantity > 0)
);
