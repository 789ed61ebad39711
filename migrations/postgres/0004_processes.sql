-- What several processes that share the books need to know of each other.

-- How often what an answer is made from has changed. Commits that change the same raise different slots,
-- so that they need not wait for each other; the version is the sum.
create table scope_versions (
  scope text collate "C" not null,
  environment bigint not null,
  slot smallint not null,
  n bigint not null,
  primary key (scope, environment, slot)
) with (fillfactor = 50);

-- The last commit of each connection: when one is lost at a commit, this tells whether it stands.
create table connections (
  id uuid not null,
  last_commit bigint not null,
  primary key (id)
) with (fillfactor = 50);

-- How many shards customers are spread over, and which process finishes what is due in each, until when.
create table shards (
  shard smallint not null,
  node_id uuid,
  until bigint not null,
  primary key (shard)
);
insert into shards (shard, until) values (0, 0);

-- The processes that share the work.
create table nodes (
  id uuid not null,
  name text collate "C" not null,
  seen_at bigint not null,
  primary key (id)
);
