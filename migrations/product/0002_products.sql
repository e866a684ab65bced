-- What is for sale.
create table products (
  id             uuid primary key,                 -- time-ordered: a larger id is a newer product
  sku            text not null,                    -- the shop's own name for it
  name           text not null,
  description    text not null,
  category       text,                             -- null: in none
  attributes     jsonb not null,                   -- an object of texts, numbers and truth values
  price_amount   bigint not null,                  -- minor units of price_currency, for one piece
  price_currency text not null,                    -- ISO 4217 letters
  version        bigint not null default 1,        -- grows by one with each change of this row by staff
  created_at     timestamptz not null default now(),
  updated_at     timestamptz not null default now(),
  archived_at    timestamptz,                      -- when it was taken from sale; null while it is for sale

  -- 2^53 - 1: beyond it a reader of JSON that keeps numbers as doubles reads another price.
  constraint products_price_is_exact check (price_amount between 1 and 9007199254740991)
);

-- Of what is for sale. An archived product keeps its row, which old orders mean, and frees its sku: what was taken from sale by
-- mistake is entered again under the label that is on the shelf.
create unique index products_sku_is_unique on products (sku) where archived_at is null;

-- The lists, newest first, a page at a time.
create index products_for_sale on products (id desc) where archived_at is null;
create index products_for_sale_by_category on products (category, id desc) where archived_at is null;
