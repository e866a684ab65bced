-- Whom the resource has named as the first admin, and what stood in the Secret then: an admin who has set another password since
-- keeps it, until another one stands in the Secret.
create table first_admins (
  user_id       uuid primary key references users (id),
  password_hash text not null,                  -- argon2id of what stood in the Secret, as a PHC string
  applied_at    timestamptz not null            -- users.password_changed_at, for as long as nobody has set another password since
);
