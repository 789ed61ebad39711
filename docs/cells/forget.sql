-- On the server that had an organization, once the subscription is dropped and the organization is served
-- elsewhere: takes its rows away. Wants a superuser, because triggers keep invoices from being deleted.
--   psql DATABASE -v environment=2 -f forget.sql
\ir moved.sql

select exists (select 1 from pg_replication_slots where slot_name = format('move_%s', :environment)) as is_followed \gset
\if :is_followed
  \warn 'the other server would forget it too: drop its subscription first'
  -- Ends the script with a failure.
  select 1 / 0;
\endif

-- What is deleted is everything in its shard: nobody may have joined it since it was offered.
select count(*) > 0 as is_shared from customers where shard = :shard and environment <> :environment \gset
\if :is_shared
  \warn 'customers of other organizations share the shard by now'
  select 1 / 0;
\endif

begin;
select format('drop publication move_%s', :environment) \gexec
set local session_replication_role = replica;
select format('delete from %I where %s', name, is_of_it) from moved \gexec
commit;
select format('alter table %I replica identity default', name) from moved where not has_shard \gexec
