//! The schema in PostgreSQL keeps to what lets it be spread over machines: plain tables, the shard first
//! in every key of a customer's rows, nothing that only one machine can do.

#![allow(clippy::unwrap_used)]

use testbed::Books;

/// Every row is a breach. Tables with a shard belong to customers; those without are known everywhere.
const LINT: &str = "
with t as (
  select c.oid, c.relname, a.attnum shard from pg_class c
  left join pg_attribute a on a.attrelid = c.oid and a.attname = 'shard' and not a.attisdropped
  where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = current_schema()::regnamespace
    and c.relname <> 'shards'
)
select relname::text, 'no primary key' from t
  where not exists (select 1 from pg_index i where i.indrelid = t.oid and i.indisprimary)
union all
select relname::text, 'the shard is not first in the primary key' from t
  join pg_index i on i.indrelid = t.oid and i.indisprimary where shard is not null and i.indkey[0] <> shard
union all
select relname::text, 'a unique index without the shard: ' || i.indexrelid::regclass from t
  join pg_index i on i.indrelid = t.oid and i.indisunique
  where shard is not null and not shard = any (i.indkey::int2[])
union all
select relname::text, 'the shard may be null' from t
  join pg_attribute a on a.attrelid = t.oid and a.attnum = shard where not a.attnotnull
union all
select relname::text, 'the shard is not a smallint' from t
  join pg_attribute a on a.attrelid = t.oid and a.attnum = shard where a.atttypid <> 'smallint'::regtype
union all
select t.relname::text, 'a foreign key without the shard: ' || k.conname from t
  join pg_constraint k on k.conrelid = t.oid and k.contype = 'f' join t r on r.oid = k.confrelid
  where t.shard is not null and r.shard is not null and not t.shard = any (k.conkey)
union all
select t.relname::text, 'a table without a shard refers to one with it: ' || k.conname from t
  join pg_constraint k on k.conrelid = t.oid and k.contype = 'f' join t r on r.oid = k.confrelid
  where t.shard is null and r.shard is not null
union all
select t.relname::text, 'a foreign key that acts: ' || k.conname from t
  join pg_constraint k on k.conrelid = t.oid and k.contype = 'f'
  where k.confdeltype <> 'a' or k.confupdtype <> 'a'
union all
select relname::text, 'a trigger that does more than refuse: ' || g.tgname from t
  join pg_trigger g on g.tgrelid = t.oid and not g.tgisinternal
  join pg_proc p on p.oid = g.tgfoid where p.proname <> 'refuse_change'
union all
select relname::text, 'a sequence: ' || a.attname from t join pg_attribute a on a.attrelid = t.oid
  where a.attidentity <> '' or exists (select 1 from pg_attrdef d where d.adrelid = t.oid
    and d.adnum = a.attnum and pg_get_expr(d.adbin, d.adrelid) like 'nextval(%')
union all
select relname::text, 'a default that is computed: ' || a.attname from t
  join pg_attribute a on a.attrelid = t.oid and a.atthasdef
union all
select relname::text, 'an exclusion or deferrable constraint: ' || k.conname from t
  join pg_constraint k on k.conrelid = t.oid where k.contype = 'x' or k.condeferrable
union all
select relname::text, 'an integer that is not 64 bits on every engine: ' || a.attname from t
  join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 where a.atttypid = 'integer'::regtype
union all
select relname::text, 'a text that sorts by the language of the machine: ' || a.attname from t
  join pg_attribute a on a.attrelid = t.oid and a.attnum > 0
  join pg_collation c on c.oid = a.attcollation where c.collname <> 'C' and relname not like 'migration%'
order by 1, 2";

#[tokio::test]
async fn nothing_in_the_schema_ties_it_to_one_machine() {
    let books = Books::postgres().await;
    let breaches = books.texts(LINT).await;
    let told: Vec<String> = breaches
        .iter()
        .map(|row| row.iter().map(|cell| cell.clone().unwrap_or_default()).collect::<Vec<_>>().join(": "))
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[tokio::test]
async fn the_lint_sees_what_it_should() {
    let books = Books::postgres().await;
    for statement in [
        "create table loose (shard smallint, id uuid unique, n integer, name text)",
        "create table clock (id bigserial primary key)",
        "alter table loose add foreign key (id) references loose (id) on delete set null",
    ] {
        books.tamper(statement).await;
    }
    let told = books.texts(LINT).await.len();
    assert!(told >= 8, "{told}");
}
