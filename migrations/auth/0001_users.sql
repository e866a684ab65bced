-- People with a login, and those who had one: what they bought keeps their id.
create table users (
  id                  uuid primary key,         -- time-ordered
  email               text,                     -- in lower case: one mailbox is one account; null once the account is deleted
  name                text,                     -- as the person wants to be called; null once deleted
  password_hash       text,                     -- argon2id as a PHC string; null while nobody has set one, and once deleted
  password_changed_at timestamptz,              -- a login with what was a password before is none
  roles               text[] not null,
  roles_version       integer not null default 1, -- rises with each change of roles; a token with an older one is refused
  roles_changed_at    timestamptz,
  created_at          timestamptz not null,
  disabled_at         timestamptz,              -- since when nobody logs in with it; null while somebody may
  deleted_at          timestamptz,              -- since when it is nobody's; null while it is somebody's
  constraint users_email_taken unique (email),
  constraint users_email_lower_case check (email = lower(email)),
  constraint users_roles_known check (roles <@ array['customer', 'staff', 'admin'] and cardinality(roles) > 0),
  constraint users_deleted_is_nobody check ((deleted_at is null) = (email is not null and name is not null)),
  constraint users_password_since check ((password_hash is null) = (password_changed_at is null))
);
-- Whose roles have changed of late: told once more to a Redis that may have forgotten it.
create index users_roles_changed on users (roles_changed_at) where roles_changed_at is not null;
-- What most hashes cost: an unknown address is refused in that time.
create index users_by_cost on users (split_part(password_hash, '$', 4)) where password_hash is not null;
-- Who can be an admin: few, and locked together so that the last one is not lost.
create index users_admins on users (id) where 'admin' = any (roles) and disabled_at is null and password_hash is not null;
