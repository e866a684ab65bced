-- How many letters two words differ by; comes with PostgreSQL, and an owner of the database may add it.
create extension if not exists fuzzystrmatch;

-- Text of which letters and digits are left, so that `MUG-BLUE` has two words for everybody who reads it.
create function plain(text text) returns text language sql immutable strict parallel safe
  return translate(text, $$!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~$$, repeat(' ', 32));

-- What of a product is found by its words. No language is assumed: a word is what stands there, in small letters.
alter table products add column search tsvector not null generated always as (
  setweight(to_tsvector('simple', plain(name) || ' ' || plain(sku)), 'A')
  || setweight(to_tsvector('simple', plain(coalesce(category, ''))), 'B')
  || setweight(jsonb_to_tsvector('simple', attributes, '["string"]'), 'C')
  || setweight(to_tsvector('simple', plain(description)), 'D')
) stored;
create index products_by_words on products using gin (search) where archived_at is null;

-- The lists by price, of all and of one category, and by name: in small letters, so that it sorts wherever its capitals are.
create index products_by_price on products (price_amount, id) where archived_at is null;
create index products_by_category_and_price on products (category, price_amount) where archived_at is null; -- counts, too
create index products_by_name on products (lower(name), id) where archived_at is null;

-- Each word that a name or a category has had, for what is typed with mistakes.
create table product_words (
  word    text collate "C" primary key,            -- 3 to 40 letters and digits, small
  letters int not null generated always as (char_length(word)) stored
);
create index product_words_by_length on product_words (letters);

create function keep_product_words() returns trigger language plpgsql as $$
begin
  insert into product_words (word)
    select lexeme from unnest(to_tsvector('simple', plain(concat_ws(' ', new.name, new.category))))
    where char_length(lexeme) between 3 and 40
  on conflict do nothing;
  return null;
end $$;
create trigger keep_product_words after insert or update of name, category on products
  for each row execute function keep_product_words();

insert into product_words (word)
  select distinct lexeme from products, unnest(to_tsvector('simple', plain(concat_ws(' ', name, category))))
  where char_length(lexeme) between 3 and 40;
