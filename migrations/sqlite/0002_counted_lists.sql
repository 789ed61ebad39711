-- Lists that know their totals and find any row by its number: see crates/store/src/counted_list.rs.

create table list_entries (
    shard smallint not null,
    environment bigint not null,
    ranking bigint not null,
    list smallint not null,
    at bigint not null,
    id blob not null,
    amount bigint not null,
    primary key (shard, environment, ranking, list, at, id)
) without rowid;

create table list_nodes (
    shard smallint not null,
    environment bigint not null,
    ranking bigint not null,
    level smallint not null,
    at bigint not null,
    id blob not null,
    count_0 bigint not null,
    count_1 bigint not null,
    count_2 bigint not null,
    count_3 bigint not null,
    count_4 bigint not null,
    count_5 bigint not null,
    count_6 bigint not null,
    count_7 bigint not null,
    count_8 bigint not null,
    count_9 bigint not null,
    count_10 bigint not null,
    count_11 bigint not null,
    amount_0 bigint not null,
    amount_1 bigint not null,
    amount_2 bigint not null,
    amount_3 bigint not null,
    amount_4 bigint not null,
    amount_5 bigint not null,
    amount_6 bigint not null,
    amount_7 bigint not null,
    amount_8 bigint not null,
    amount_9 bigint not null,
    amount_10 bigint not null,
    amount_11 bigint not null,
    primary key (shard, environment, ranking, level, at, id)
) without rowid;
