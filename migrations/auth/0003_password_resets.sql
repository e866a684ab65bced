-- Links that were given out: whoever has one sets a password, once.
create table password_resets (
  token_hash bytea primary key,                 -- SHA-256 of what the link carries
  user_id    uuid not null references users (id),
  expires_at timestamptz not null
);
create index password_resets_by_user on password_resets (user_id);
create index password_resets_by_expiry on password_resets (expires_at);
-- Addresses whose password somebody says is forgotten, until a link has been sent; whether there is such an account is asked
-- after the answer, so that the answer does not tell.
create table forgotten_passwords (
  email    text primary key,
  asked_at timestamptz not null,
  try_at   timestamptz not null                 -- when the link is to be sent, or to be tried again
);
create index forgotten_passwords_by_time on forgotten_passwords (try_at);
