-- Who may ask, and which requests have been answered.

create table roles (
  environment bigint not null references environments (number),
  name text collate "C" not null,
  permissions text collate "C" not null,
  primary key (environment, name)
);

-- An API key is kept as its HMAC only; a token is signed, and its row says that it still holds.
create table credentials (
  id uuid not null,
  environment bigint not null references environments (number),
  kind text collate "C" not null,
  name text collate "C" not null,
  hint text collate "C" not null,
  hash bytea,
  scopes text collate "C" not null,
  customer_id uuid,
  user_id uuid,
  expires_at bigint,
  revoked_at bigint,
  last_used_at bigint,
  created_at bigint not null,
  primary key (id)
);
create unique index credentials_hash on credentials (hash) where hash is not null;
create index credentials_list on credentials (environment, id);

-- The key of a request stands in the same commit as its effect; the answer follows and may be lost,
-- because it can be made again from the resource.
create table idempotency (
  environment bigint not null,
  key text collate "C" not null,
  fingerprint bytea not null,
  resource uuid not null,
  status bigint,
  answer bytea,
  created_at bigint not null,
  primary key (environment, key)
);
create index idempotency_age on idempotency (created_at);
