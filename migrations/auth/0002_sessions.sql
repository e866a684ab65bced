-- Logins, from the password to the end. This is where they are known for sure; Redis holds, for the gateway, those whose access
-- token may still be good.
create table sessions (
  id           uuid primary key,                -- time-ordered; the claim sid of access tokens
  user_id      uuid not null references users (id),
  created_at   timestamptz not null,
  expires_at   timestamptz not null,            -- the end that comes by itself
  generation   integer not null default 0,      -- of the one refresh token that is good
  refreshed_at timestamptz not null,            -- since when that is so: the last access token was made then
  address      text,                            -- of the client that logged in
  user_agent   text,                            -- what that client called itself
  ended_at     timestamptz,                     -- the end that somebody made; null while there is none
  unpublished  boolean not null default false   -- Redis has to get to know that it has ended or that its user's roles have changed
);
create index sessions_by_user on sessions (user_id, created_at) where ended_at is null;
create index sessions_by_expiry on sessions (expires_at);
-- What Redis has to get to know: little, and looked for every second.
create index sessions_unpublished on sessions (refreshed_at) where unpublished;
-- Endings of late: published once more to a Redis that may have forgotten them, and taken out when they are old.
create index sessions_ended on sessions (ended_at) where ended_at is not null;
