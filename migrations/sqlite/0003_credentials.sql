-- Who may ask, and which requests have been answered.

create table roles (
  environment integer not null references environments (number),
  name text not null,
  permissions text not null,
  primary key (environment, name)
) strict, without rowid;

-- An API key is kept as its HMAC only; a token is signed, and its row says that it still holds.
create table credentials (
  id blob not null,
  environment integer not null references environments (number),
  kind text not null,
  name text not null,
  hint text not null,
  hash blob,
  scopes text not null,
  customer_id blob,
  user_id blob,
  expires_at integer,
  revoked_at integer,
  last_used_at integer,
  created_at integer not null,
  primary key (id)
) strict, without rowid;
create unique index credentials_hash on credentials (hash) where hash is not null;
create index credentials_list on credentials (environment, id);

-- The key of a request stands in the same commit as its effect; the answer follows and may be lost,
-- because it can be made again from the resource.
create table idempotency (
  environment integer not null,
  key text not null,
  fingerprint blob not null,
  resource blob not null,
  status integer,
  answer blob,
  created_at integer not null,
  primary key (environment, key)
) strict, without rowid;
create index idempotency_age on idempotency (created_at);
