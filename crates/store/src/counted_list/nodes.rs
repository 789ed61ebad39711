//! Statements over the nodes and entries of a counted list.

use super::types::{CountedList, Entry, Key, LISTS, Tally};
use crate::{Error, Param, Row, Snapshot, Tx};

/// Levels 0 to this one. Only the number of nodes on the top level has no bound: it is one per
/// 130,000 entries.
pub(super) const TOP: i64 = 2;

/// How many entries a node of level 0 covers at most; few in tests, so that they reach every split.
pub(super) const ENTRIES_MAX: usize = if cfg!(test) { 8 } else { 128 };

/// How many nodes a node of a higher level covers at most.
pub(super) const NODES_MAX: usize = if cfg!(test) { 4 } else { 32 };

/// One node of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) key: Key,
    pub(super) tally: Tally,
}

macro_rules! tally_columns {
    () => {
        "count_0, count_1, count_2, count_3, count_4, count_5, count_6, count_7, count_8, count_9, count_10, count_11, \
         amount_0, amount_1, amount_2, amount_3, amount_4, amount_5, amount_6, amount_7, amount_8, amount_9, \
         amount_10, amount_11"
    };
}

pub(super) const NODES: &str = concat!(
    "select at, id, ",
    tally_columns!(),
    " from list_nodes where shard = $1 and environment = $2 and ranking = $3 and level = $4 \
     and (at, id) >= ($5, $6) and (at, id) < ($7, $8) order by at, id"
);

pub(super) const FLOOR: &str = concat!(
    "select at, id, ",
    tally_columns!(),
    " from list_nodes where shard = $1 and environment = $2 and ranking = $3 and level = $4 \
     and (at, id) <= ($5, $6) order by at desc, id desc limit 1"
);

pub(super) const NEXT: &str = "select at, id from list_nodes \
     where shard = $1 and environment = $2 and ranking = $3 and level = $4 \
     and (at, id) > ($5, $6) order by at, id limit 1";

pub(super) const COUNT: &str = "select count(*) from list_nodes \
     where shard = $1 and environment = $2 and ranking = $3 and level = $4 \
     and (at, id) >= ($5, $6) and (at, id) < ($7, $8)";

pub(super) const ADD: &str = "update list_nodes set \
     count_0 = count_0 + $7, count_1 = count_1 + $8, count_2 = count_2 + $9, \
     count_3 = count_3 + $10, count_4 = count_4 + $11, count_5 = count_5 + $12, \
     count_6 = count_6 + $13, count_7 = count_7 + $14, count_8 = count_8 + $15, \
     count_9 = count_9 + $16, count_10 = count_10 + $17, count_11 = count_11 + $18, \
     amount_0 = amount_0 + $19, amount_1 = amount_1 + $20, amount_2 = amount_2 + $21, \
     amount_3 = amount_3 + $22, amount_4 = amount_4 + $23, amount_5 = amount_5 + $24, \
     amount_6 = amount_6 + $25, amount_7 = amount_7 + $26, amount_8 = amount_8 + $27, \
     amount_9 = amount_9 + $28, amount_10 = amount_10 + $29, amount_11 = amount_11 + $30 \
     where shard = $1 and environment = $2 and ranking = $3 and level = $4 and at = $5 and id = $6";

const INSERT: &str = concat!(
    "insert into list_nodes (shard, environment, ranking, level, at, id, ",
    tally_columns!(),
    ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, \
     $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30)"
);

pub(super) const ENTRIES: &str = "select at, id, amount from list_entries \
     where shard = $1 and environment = $2 and ranking = $3 and list = $4 \
     and (at, id) >= ($5, $6) and (at, id) < ($7, $8) order by at, id";

/// The nodes of a level whose keys lie in a range, oldest first.
pub(super) async fn nodes(
    snapshot: &mut Snapshot,
    ranking: CountedList,
    level: i64,
    from: Key,
    until: Key,
) -> Result<Vec<Node>, Error> {
    snapshot.rows(NODES, &range(ranking, level, from, until), node).await
}

/// As [`nodes`], of several counted lists, each in a range of its own.
pub(super) async fn nodes_of_each(
    snapshot: &mut Snapshot,
    level: i64,
    ranges: &[(CountedList, Key, Key)],
) -> Result<Vec<Vec<Node>>, Error> {
    let mut found = vec![Vec::new(); ranges.len()];
    let sets = ranges.iter().map(|(ranking, from, until)| range(*ranking, level, *from, *until));
    snapshot
        .each_for(NODES, sets, |n, row| {
            found[n].push(node(row)?);
            Ok(())
        })
        .await?;
    Ok(found)
}

/// How many nodes of a level have their keys in a range.
pub(super) async fn count(
    snapshot: &mut Snapshot,
    ranking: CountedList,
    level: i64,
    from: Key,
    until: Key,
) -> Result<usize, Error> {
    let count = snapshot.row(COUNT, &range(ranking, level, from, until), |row| row.int(0)).await?;
    Ok(count.unwrap_or(0) as usize)
}

/// The node of a level that covers a key; none in an empty counted list.
pub(super) async fn floor(
    snapshot: &mut Snapshot,
    ranking: CountedList,
    level: i64,
    key: Key,
) -> Result<Option<Node>, Error> {
    snapshot.row(FLOOR, &place(ranking, level, key), node).await
}

/// Where the node with this key ends.
pub(super) async fn end(
    snapshot: &mut Snapshot,
    ranking: CountedList,
    level: i64,
    key: Key,
) -> Result<Key, Error> {
    let next = snapshot
        .row(NEXT, &place(ranking, level, key), |row| Ok(Key { at: row.int(0)?, id: row.id(1)? }))
        .await?;
    Ok(next.unwrap_or(Key::END))
}

/// Changes what a node counts.
pub(super) async fn add(
    tx: &mut Tx,
    ranking: CountedList,
    level: i64,
    key: Key,
    change: &Tally,
) -> Result<(), Error> {
    match tx.execute(ADD, &whole(ranking, level, key, change)).await? {
        1 => Ok(()),
        _ => Err(Error::Corrupt("a node of a list is gone".to_owned())),
    }
}

/// Adds nodes to a level.
pub(super) async fn create(
    tx: &mut Tx,
    ranking: CountedList,
    level: i64,
    nodes: &[Node],
) -> Result<(), Error> {
    tx.send_for(INSERT, nodes.iter().map(|node| whole(ranking, level, node.key, &node.tally))).await
}

/// The entries of one list in a range, oldest first.
pub(super) async fn entries(
    snapshot: &mut Snapshot,
    ranking: CountedList,
    list: u8,
    from: Key,
    until: Key,
    mut see: impl FnMut(Entry) -> Result<(), Error> + Send,
) -> Result<(), Error> {
    snapshot
        .each(ENTRIES, &range(ranking, list.into(), from, until), |row| {
            see(Entry { list, at: row.int(0)?, id: row.id(1)?, amount: row.int(2)? })
        })
        .await
}

/// The parameters of a range of keys on a level, or in a list.
pub(super) fn range(ranking: CountedList, level: i64, from: Key, until: Key) -> [Param<'static>; 8] {
    let [shard, environment, number, level, at, id] = place(ranking, level, from);
    [shard, environment, number, level, at, id, until.at.into(), until.id.into()]
}

fn place(ranking: CountedList, level: i64, key: Key) -> [Param<'static>; 6] {
    [
        ranking.shard.into(),
        ranking.environment.into(),
        ranking.number.into(),
        level.into(),
        key.at.into(),
        key.id.into(),
    ]
}

fn whole(ranking: CountedList, level: i64, key: Key, tally: &Tally) -> [Param<'static>; 6 + 2 * LISTS] {
    let mut params = [const { Param::Null }; 6 + 2 * LISTS];
    params[..6].clone_from_slice(&place(ranking, level, key));
    for (param, value) in params[6..].iter_mut().zip(tally.counts.iter().chain(&tally.amounts)) {
        *param = Param::Int(*value);
    }
    params
}

fn node(row: &Row<'_>) -> Result<Node, Error> {
    let mut tally = Tally::default();
    for list in 0..LISTS {
        tally.counts[list] = row.int(2 + list)?;
        tally.amounts[list] = row.int(2 + LISTS + list)?;
    }
    Ok(Node { key: Key { at: row.int(0)?, id: row.id(1)? }, tally })
}
