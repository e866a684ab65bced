-- How many pieces of a product there are; a row for each product from its making on. Apart from the product, so that a sale
-- rewrites a narrow row and not the description beside it.
create table stock (
  product_id uuid primary key references products (id),
  on_hand    bigint not null default 0,            -- pieces in the warehouse, reserved ones included
  reserved   bigint not null default 0,            -- pieces set aside for orders that are not paid yet

  -- The last guard against selling a piece twice: whatever the code does, what is promised is there.
  constraint stock_covers_reservations check (reserved between 0 and on_hand)
) with (fillfactor = 70);                          -- room in each page, so that a changed row stays in its own

-- What staff did to the stock, for whoever asks later why it is what it is. Orders' doings are in reservations.
create table stock_adjustments (
  id         uuid primary key,
  product_id uuid not null references products (id),
  by         bigint not null,                      -- pieces that came (positive) or went (negative)
  reason     text not null,
  user_id    uuid not null,                        -- who did it
  created_at timestamptz not null
);
create index stock_adjustments_of_product on stock_adjustments (product_id, id);
