-- Logins, from the password to the end. Redis holds those that stand, for the gateway; this is where they are known for sure.
create table sessions (
  id            uuid primary key,               -- time-ordered; the claim sid of access tokens
  user_id       uuid not null references users (id),
  created_at    timestamptz not null,
  expires_at    timestamptz not null,           -- the end that comes by itself; Redis forgets the session then
  ended_at      timestamptz,                    -- the end that somebody made; null while there is none
  published_at timestamptz,                    -- when Redis got to know of that end; null while it has to
  constraint sessions_published_after_end check (published_at is null or ended_at is not null)
);
create index sessions_by_user on sessions (user_id);
create index sessions_by_expiry on sessions (expires_at);
-- Endings that Redis has to get to know of: few, and looked for every few seconds.
create index sessions_unpublished on sessions (ended_at) where ended_at is not null and published_at is null;
-- Endings of late, published once more when Redis comes back and may have forgotten them.
create index sessions_ended on sessions (ended_at) where ended_at is not null;
