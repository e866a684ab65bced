-- People with a login.
create table users (
  id            uuid primary key,               -- time-ordered
  email         text not null,                  -- in lower case: one mailbox is one account
  name          text not null,                  -- as the person wants to be called
  password_hash text not null,                  -- argon2id as a PHC string, which carries its salt and its parameters
  roles         text[] not null,
  roles_version integer not null default 1,     -- rises with each change of roles; a token with an older one is refused
  created_at    timestamptz not null,
  constraint users_email_taken unique (email),
  constraint users_email_lower_case check (email = lower(email)),
  constraint users_roles_known check (roles <@ array['customer', 'staff', 'admin'] and cardinality(roles) > 0)
);
-- What most hashes cost: an unknown address is refused in that time.
create index users_by_cost on users (split_part(password_hash, '$', 4));
