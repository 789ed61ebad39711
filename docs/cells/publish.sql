-- On the server that has an organization: offers it to another one. Books go on being served meanwhile.
--   psql DATABASE -v environment=2 -f publish.sql
\ir moved.sql

-- Its shard has nobody else's customers, and no other shard has its own.
select count(*) > 0 as is_shared from customers
  where (shard = :shard) <> (environment = :environment) \gset
\if :is_shared
  \warn 'customers of other organizations share the shard: this is for books that are spread by organization'
  -- Ends the script with a failure.
  select 1 / 0;
\endif

-- A row that is changed later is found in the publication by more than its key.
select format('alter table %I replica identity full', name) from moved where not has_shard \gexec
select format('create publication move_%s for table %s with (publish_via_partition_root = true)',
  :environment, string_agg(format('%I where (%s)', name, is_of_it), ', ')) from moved \gexec
