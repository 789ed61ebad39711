-- Which rows go with an organization: those of its shard, and what is said of it beside them. Read by the
-- others; it wants the number of its environment: psql -v environment=2
\set ON_ERROR_STOP on
select (:environment - 1) % count(*) as shard from shards \gset
select organization_id as organization from environments where number = :environment \gset

create temp view moved as
select c.relname as name, exists (select 1 from pg_attribute where attrelid = c.oid and attname = 'shard') as has_shard,
  case
    when exists (select 1 from pg_attribute where attrelid = c.oid and attname = 'shard') then format('shard = %s', :shard)
    when c.relname = 'environments' then format('number = %s', :environment)
    when c.relname = 'organizations' then format('id = %L', :'organization')
    else format('environment = %s', :environment)
  end as is_of_it
from pg_class c
where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = current_schema()::regnamespace
  and c.relname not in
    ('migrations', 'migration_lease', 'settings', 'shards', 'nodes', 'connections', 'scope_versions')
  and not exists (
    select 1 from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e');
