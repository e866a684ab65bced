-- What whoever ordered, or staff, has written on the order: texts by name, of no meaning here.
alter table orders add column metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object');
