//! Entries come and go, and the nodes above them keep count.

use super::nodes::{self, ENTRIES_MAX, NODES_MAX, Node, TOP};
use super::types::{CountedList, Entry, Key, LISTS, Tally};
use crate::{Error, Tx};
use async_recursion::async_recursion as boxed;

const INSERT: &str = "insert into list_entries (shard, environment, ranking, list, at, id, amount) \
     values ($1, $2, $3, $4, $5, $6, $7)";

const DELETE: &str = "delete from list_entries where shard = $1 and environment = $2 and ranking = $3 \
     and list = $4 and at = $5 and id = $6 returning amount";

/// Adds entries to a counted list, in any order; [`Error::Conflict`] if one is there already.
///
/// The counts cost a few statements per call, so give what comes together in one call.
#[boxed]
pub async fn insert(tx: &mut Tx, ranking: CountedList, entries: &[Entry]) -> Result<(), Error> {
    if entries.is_empty() {
        return Ok(());
    }
    if entries.iter().any(|entry| usize::from(entry.list) >= LISTS) {
        return Err(Error::Misuse(format!("a ranking has {LISTS} lists")));
    }
    let sets = entries.iter().map(|entry| {
        [
            ranking.shard.into(),
            ranking.environment.into(),
            ranking.number.into(),
            entry.list.into(),
            entry.at.into(),
            entry.id.into(),
            entry.amount.into(),
        ]
    });
    tx.send_for(INSERT, sets).await?;
    let mut changes: Vec<Change> = entries
        .iter()
        .map(|entry| Change { key: entry.key(), tally: Tally::of(entry), new_nodes: false })
        .collect();
    changes.sort_unstable_by_key(|change| change.key);
    for level in 0..=TOP {
        changes = raise(tx, ranking, level, &changes).await?;
    }
    Ok(())
}

/// Takes an entry out of a list; answers its amount, or `None` if it was not there.
#[boxed]
pub async fn remove(
    tx: &mut Tx,
    ranking: CountedList,
    list: u8,
    at: i64,
    id: u128,
) -> Result<Option<i64>, Error> {
    let params = [
        ranking.shard.into(),
        ranking.environment.into(),
        ranking.number.into(),
        list.into(),
        at.into(),
        id.into(),
    ];
    let Some(amount) = tx.row(DELETE, &params, |row| row.int(0)).await? else { return Ok(None) };
    let entry = Entry { list, at, id, amount };
    let mut changes =
        vec![Change { key: entry.key(), tally: Tally::of(&entry).negative(), new_nodes: false }];
    for level in 0..=TOP {
        changes = raise(tx, ranking, level, &changes).await?;
    }
    Ok(Some(amount))
}

/// What changed under a key of the level below.
struct Change {
    key: Key,
    tally: Tally,
    /// Whether a node was split there, so that the level below has more nodes.
    new_nodes: bool,
}

/// Applies changes, sorted by key, to the nodes of a level; what they change in turn is for the next.
async fn raise(
    tx: &mut Tx,
    ranking: CountedList,
    level: i64,
    mut changes: &[Change],
) -> Result<Vec<Change>, Error> {
    let mut raised = Vec::with_capacity(1);
    while let Some(first) = changes.first() {
        let node = match nodes::floor(tx, ranking, level, first.key).await? {
            Some(node) => node,
            None => found(tx, ranking, level).await?,
        };
        let mut end = None;
        let mut here = 1;
        if changes.len() > 1 {
            let until = nodes::end(tx, ranking, level, node.key).await?;
            here = changes.partition_point(|change| change.key < until);
            end = Some(until);
        }
        let (mine, others) = changes.split_at(here);
        changes = others;
        let change: Tally = mine.iter().map(|change| change.tally).sum();
        let may_overflow = match level {
            0 => (node.tally + change).count() > ENTRIES_MAX as i64,
            _ => mine.iter().any(|change| change.new_nodes),
        };
        let mut new_nodes = false;
        if may_overflow {
            let end = match end {
                Some(end) => end,
                None => nodes::end(tx, ranking, level, node.key).await?,
            };
            new_nodes = split(tx, ranking, level, node, change, end).await?;
        }
        if !new_nodes {
            nodes::add(tx, ranking, level, node.key, &change).await?;
        }
        raised.push(Change { key: node.key, tally: change, new_nodes });
    }
    Ok(raised)
}

/// The first node of a level, which covers everything.
async fn found(tx: &mut Tx, ranking: CountedList, level: i64) -> Result<Node, Error> {
    let node = Node { key: Key::FIRST, tally: Tally::default() };
    nodes::create(tx, ranking, level, &[node]).await?;
    Ok(node)
}

/// Splits a node that covers too much, if it does, and counts the change.
async fn split(
    tx: &mut Tx,
    ranking: CountedList,
    level: i64,
    node: Node,
    change: Tally,
    end: Key,
) -> Result<bool, Error> {
    let (members, most) = if level == 0 {
        (entries(tx, ranking, node.tally + change, node.key, end).await?, ENTRIES_MAX)
    } else {
        if nodes::count(tx, ranking, level - 1, node.key, end).await? <= NODES_MAX {
            return Ok(false);
        }
        (nodes::nodes(tx, ranking, level - 1, node.key, end).await?, NODES_MAX)
    };
    let size = piece(members.len(), most, end == Key::END);
    let mut pieces = members
        .chunks(size)
        .map(|members| Node { key: members[0].key, tally: members.iter().map(|member| member.tally).sum() });
    let kept: Tally = pieces.next().map_or_else(Tally::default, |piece| piece.tally);
    let cut: Vec<Node> = pieces.collect();
    nodes::add(tx, ranking, level, node.key, &(kept + node.tally.negative())).await?;
    nodes::create(tx, ranking, level, &cut).await?;
    Ok(!cut.is_empty())
}

/// How much each piece of a node gets. The end of a counted list mostly grows at its end, so all pieces
/// but the last are left full there; elsewhere all are left with room.
fn piece(members: usize, most: usize, at_end: bool) -> usize {
    if at_end { most } else { members.div_ceil(members.div_ceil(most * 3 / 4).max(1)).max(1) }
}

/// The entries that a node covers, all lists together, in order.
async fn entries(
    tx: &mut Tx,
    ranking: CountedList,
    tally: Tally,
    from: Key,
    until: Key,
) -> Result<Vec<Node>, Error> {
    let mut members = Vec::with_capacity(tally.count().max(0) as usize);
    for list in (0..LISTS as u8).filter(|list| tally.counts[usize::from(*list)] > 0) {
        nodes::entries(tx, ranking, list, from, until, |entry| {
            members.push(Node { key: entry.key(), tally: Tally::of(&entry) });
            Ok(())
        })
        .await?;
    }
    members.sort_unstable_by_key(|member| member.key);
    Ok(members)
}
