-- On the server that an organization moves to, whose schema `quittance migrate` has made: takes it over, and
-- what changes until the subscription is dropped.
--   psql DATABASE -v environment=2 -v shards=64 -v source='host=… dbname=… user=…' -f subscribe.sql
\set ON_ERROR_STOP on
insert into shards (shard, until) select n, 0 from generate_series(0, :shards - 1) n on conflict (shard) do nothing;
insert into settings (name, value) values ('spread_by', 'organization') on conflict (name) do nothing;
select format('create subscription move_%s connection %L publication move_%s', :environment, :'source',
  :environment) \gexec
