//! The schema in PostgreSQL keeps to what lets it be spread over machines: plain tables, the shard first
//! in every key of a customer's rows, nothing that only one machine can do.

use testbed::Books;

/// The tables, each with the place of its shard. Those with a shard belong to customers; those without are
/// known everywhere.
const TABLES: &str = "with t as (
  select c.oid, c.relname::text, a.attnum shard from pg_class c
  left join pg_attribute a on a.attrelid = c.oid and a.attname = 'shard' and not a.attisdropped
  where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = current_schema()::regnamespace
    and c.relname <> 'shards'
)";

/// What no table may have.
struct Rule {
    words: &'static str,
    /// Answers tables that have it, each with the name of what it is.
    finds: &'static str,
    /// Statements that bring it about in a table `breach`, and break no other rule.
    breaches: &'static [&'static [&'static str]],
}

const RULES: &[Rule] = &[
    Rule {
        words: "no primary key",
        finds: "select relname, '' from t
             where not exists (select 1 from pg_index i where i.indrelid = t.oid and i.indisprimary)",
        breaches: &[&["create table breach (shard smallint not null, id uuid not null)"]],
    },
    Rule {
        // What is in a primary key is never null.
        words: "the shard is not first in a primary key or a unique index",
        finds: "select relname, i.indexrelid::regclass::text from t
             join pg_index i on i.indrelid = t.oid and i.indisunique
             where shard is not null and i.indkey[0] <> shard",
        breaches: &[
            &["create table breach (shard smallint not null, id uuid, primary key (id, shard))"],
            &["create table breach (shard smallint, id uuid, primary key (id))"],
            &[
                "create table breach (shard smallint not null, id uuid, n bigint, primary key (shard, id))",
                "create unique index breach_n on breach (n, shard) where n > 0",
            ],
            &["create table breach (shard smallint not null, id uuid, n bigint, primary key (shard, id),
               unique (n))"],
        ],
    },
    Rule {
        words: "the shard is not a smallint",
        finds: "select relname, '' from t
             join pg_attribute a on a.attrelid = t.oid and a.attnum = shard
             where a.atttypid <> 'smallint'::regtype",
        breaches: &[&["create table breach (shard bigint not null, id uuid, primary key (shard, id))"]],
    },
    Rule {
        words: "what belongs to a customer has no shard",
        // Both lead to a customer from what is known before its shard: a name, a key or a token.
        finds:
            "select relname, '' from t join pg_attribute a on a.attrelid = t.oid and a.attname = 'customer_id'
             where shard is null and relname not in ('credentials', 'customer_names')",
        breaches: &[&["create table breach (id uuid not null, customer_id uuid, primary key (id))"]],
    },
    Rule {
        words: "a foreign key between customers' tables does not lead from the shard to the shard first",
        finds: "select t.relname, k.conname::text from t
             join pg_constraint k on k.conrelid = t.oid and k.contype = 'f' join t r on r.oid = k.confrelid
             where t.shard is not null and r.shard is not null
               and (k.conkey[1] <> t.shard or k.confkey[1] <> r.shard)",
        breaches: &[
            // Last.
            &["create table breach (shard smallint not null, id uuid, of uuid, primary key (shard, id),
               foreign key (of, shard) references breach (id, shard))"],
            // Another column in its place.
            &["create table breach (shard smallint not null, id uuid, n smallint, of uuid,
               primary key (shard, id), foreign key (n, of) references breach (shard, id))"],
            // Crossed with another column.
            &["create table breach (shard smallint not null, n smallint, primary key (shard, n),
               foreign key (shard, n) references breach (n, shard))"],
        ],
    },
    Rule {
        words: "a table without a shard refers to one with it",
        finds: "select t.relname, k.conname::text from t
             join pg_constraint k on k.conrelid = t.oid and k.contype = 'f' join t r on r.oid = k.confrelid
             where t.shard is null and r.shard is not null",
        breaches: &[&["create table breach (n smallint, of uuid, primary key (n, of),
             foreign key (n, of) references customers (shard, id))"]],
    },
    Rule {
        words: "a foreign key that acts",
        finds: "select t.relname, k.conname::text from t
             join pg_constraint k on k.conrelid = t.oid and k.contype = 'f'
             where k.confdeltype <> 'a' or k.confupdtype <> 'a'",
        breaches: &[
            &["create table breach (shard smallint not null, id uuid, primary key (shard, id),
               foreign key (shard, id) references customers (shard, id) on delete cascade)"],
            &["create table breach (shard smallint not null, id uuid, of uuid, primary key (shard, id),
               foreign key (shard, of) references customers (shard, id) on delete set null (of))"],
            &["create table breach (n bigint references environments (number) on update cascade,
               primary key (n))"],
        ],
    },
    Rule {
        words: "a trigger that does more than refuse",
        finds: "select relname, g.tgname::text from t
             join pg_trigger g on g.tgrelid = t.oid and not g.tgisinternal
             join pg_proc p on p.oid = g.tgfoid where p.proname <> 'refuse_change'",
        breaches: &[&[
            "create table breach (id uuid not null, primary key (id))",
            "create trigger breach_follows before update on breach
               for each row execute function suppress_redundant_updates_trigger()",
        ]],
    },
    Rule {
        words: "a sequence",
        finds: "select relname, a.attname::text from t join pg_attribute a on a.attrelid = t.oid
             left join pg_attrdef d on d.adrelid = t.oid and d.adnum = a.attnum
             where a.attidentity <> '' or pg_get_expr(d.adbin, d.adrelid) like '%nextval(%'",
        breaches: &[
            &["create table breach (n bigint generated always as identity, primary key (n))"],
            &["create table breach (n bigserial, primary key (n))"],
        ],
    },
    Rule {
        words: "a default",
        finds: "select relname, a.attname::text from t
             join pg_attrdef d on d.adrelid = t.oid
             join pg_attribute a on a.attrelid = t.oid and a.attnum = d.adnum
             where pg_get_expr(d.adbin, d.adrelid) not like '%nextval(%'",
        breaches: &[
            &["create table breach (id uuid default gen_random_uuid(), primary key (id))"],
            &["create table breach (n bigint, m bigint default 0, primary key (n))"],
            &["create table breach (n bigint, m bigint generated always as (n + 1) stored, primary key (n))"],
        ],
    },
    Rule {
        words: "an exclusion or deferrable constraint",
        finds: "select relname, k.conname::text from t
             join pg_constraint k on k.conrelid = t.oid where k.contype = 'x' or k.condeferrable",
        breaches: &[
            &["create table breach (shard smallint not null, id uuid, primary key (shard, id),
               exclude using btree (shard with =))"],
            &["create table breach (shard smallint not null, id uuid, primary key (shard, id) deferrable)"],
            &["create table breach (n bigint references environments (number) deferrable, primary key (n))"],
        ],
    },
    Rule {
        words: "an integer that is not 64 bits on every engine",
        finds:
            "select relname, a.attname::text from t
             join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 where a.atttypid = 'integer'::regtype",
        breaches: &[&["create table breach (n integer, primary key (n))"]],
    },
    Rule {
        words: "a text that sorts by the language of the machine",
        finds: "select relname, a.attname::text from t
             join pg_attribute a on a.attrelid = t.oid and a.attnum > 0
             join pg_collation c on c.oid = a.attcollation
             where c.collname <> 'C' and relname not like 'migration%'",
        breaches: &[&["create table breach (name text, primary key (name))"]],
    },
];

/// Every row is a breach: the table, the rule, what it is.
async fn told(books: &Books) -> Vec<[String; 3]> {
    let finds = RULES.iter().enumerate().map(|(n, rule)| {
        format!("select relname, {n}::text, what from ({}) as found (relname, what)", rule.finds)
    });
    let finds: Vec<String> = finds.collect();
    let rows = books.texts(&format!("{TABLES} {} order by 1, 2, 3", finds.join(" union all "))).await;
    let told = rows.into_iter().map(|row| {
        let [table, rule, what] = <[Option<String>; 3]>::try_from(row).unwrap().map(Option::unwrap);
        [table, RULES[rule.parse::<usize>().unwrap()].words.to_owned(), what]
    });
    told.collect()
}

#[tokio::test]
async fn nothing_in_the_schema_ties_it_to_one_machine() {
    let told = told(&Books::postgres().await).await;
    let told: Vec<String> = told.iter().map(|row| row.join(": ")).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[tokio::test]
async fn each_rule_tells_its_breaches_and_no_other_does() {
    let books = Books::postgres().await;
    for rule in RULES {
        assert!(!rule.breaches.is_empty(), "{}", rule.words);
        for breach in rule.breaches {
            for statement in *breach {
                books.tamper(statement).await;
            }
            let told = told(&books).await;
            let told: Vec<_> =
                told.iter().map(|[table, words, _]| (table.as_str(), words.as_str())).collect();
            assert_eq!(told, [("breach", rule.words)], "{breach:?}");
            books.tamper("drop table breach").await;
        }
    }
}
