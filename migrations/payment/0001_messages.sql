-- Events that have happened and are not sent yet; the relay takes them out once the broker has them.
create table outbox (
  id          uuid primary key,                    -- the event's id, time-ordered
  routing_key text not null,
  body        text not null,                       -- the envelope as JSON, as it will be sent
  created_at  timestamptz not null default now()
);

-- Writes that a client may send again, with the answer they were given; kept for 24 hours.
create table idempotency_keys (
  user_id      uuid not null,
  method       text not null,
  path         text not null,
  key          text not null,
  request_hash bytea not null,                     -- SHA-256 of the body's meaning
  status       smallint not null,
  body         bytea not null,                     -- the answer, byte for byte
  created_at   timestamptz not null default now(),
  primary key (user_id, method, path, key)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);
