//! Totals, and the place of the n-th entry.

use super::nodes::{self, Node, TOP};
use super::types::{Between, CountedList, Key, Lists, Totals};
use crate::{Error, Snapshot};
use async_recursion::async_recursion as boxed;

pub(super) const SUM: &str = "select count(*), cast(coalesce(sum(amount), 0) as bigint) from list_entries \
     where shard = $1 and environment = $2 and ranking = $3 and list = $4 \
     and (at, id) >= ($5, $6) and (at, id) < ($7, $8)";

/// All entries of some lists, over all counted lists given.
#[boxed]
pub async fn total(snapshot: &mut Snapshot, rankings: &[CountedList], lists: Lists) -> Result<Totals, Error> {
    let mut totals = Totals::default();
    let whole: Vec<_> = rankings.iter().map(|ranking| (*ranking, Key::FIRST, Key::END)).collect();
    for node in nodes::nodes_of_each(snapshot, TOP, &whole).await?.iter().flatten() {
        totals = totals.plus(node.tally.in_lists(lists)?)?;
    }
    Ok(totals)
}

/// The entries of some lists whose time is in a range, over all counted lists given.
#[boxed]
pub async fn totals_between(
    snapshot: &mut Snapshot,
    rankings: &[CountedList],
    lists: Lists,
    between: Between,
) -> Result<Totals, Error> {
    if let (Some(from), Some(until)) = (between.from, between.until)
        && until <= from
    {
        return Ok(Totals::default());
    }
    let since = match between.from {
        Some(from) => totals_since(snapshot, rankings, lists, from).await?,
        None => total(snapshot, rankings, lists).await?,
    };
    match between.until {
        Some(until) => since.minus(totals_since(snapshot, rankings, lists, until).await?),
        None => Ok(since),
    }
}

/// The entries of some lists at a time and later.
pub(super) async fn totals_since(
    snapshot: &mut Snapshot,
    rankings: &[CountedList],
    lists: Lists,
    from: i64,
) -> Result<Totals, Error> {
    let key = Key { at: from, id: 0 };
    let mut totals = Totals::default();
    for ranking in rankings {
        let (mut low, mut high) = (Key::FIRST, Key::END);
        for level in (0..=TOP).rev() {
            for node in nodes::nodes(snapshot, *ranking, level, low, high).await?.into_iter().rev() {
                low = node.key;
                if low < key {
                    break;
                }
                high = low;
                totals = totals.plus(node.tally.in_lists(lists)?)?;
            }
        }
        totals = totals.plus(sum(snapshot, *ranking, lists, key, high).await?)?;
    }
    Ok(totals)
}

/// A place in the order of several counted lists together, and how many entries below it are still to be
/// skipped: less than a node of level 0 per counted list covers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) below: Key,
    pub(super) skip: i64,
}

/// Where the entry stands that has `skip` newer ones in these lists; `None` if there are no more.
pub(super) async fn seek(
    snapshot: &mut Snapshot,
    rankings: &[CountedList],
    lists: Lists,
    skip: i64,
) -> Result<Option<Place>, Error> {
    let mut parts: Vec<Part> = rankings.iter().map(|ranking| Part::all_of(*ranking)).collect();
    let mut below = Key::END;
    for level in (0..=TOP).rev() {
        let ranges: Vec<_> = parts.iter().map(|part| (part.ranking, part.low, part.high)).collect();
        let nodes = nodes::nodes_of_each(snapshot, level, &ranges).await?;
        for (part, nodes) in parts.iter_mut().zip(nodes) {
            part.set_nodes(&nodes, lists);
        }
        let Some((low, high)) = window(&parts, skip, below) else { return Ok(None) };
        for part in &mut parts {
            part.narrow(low, high);
        }
        below = high;
    }
    let mut newer = 0;
    for part in &parts {
        newer += part.above;
        if part.high > below {
            newer += sum(snapshot, part.ranking, lists, below, part.high).await?.count;
        }
    }
    Ok(Some(Place { below, skip: skip - newer }))
}

async fn sum(
    snapshot: &mut Snapshot,
    ranking: CountedList,
    lists: Lists,
    from: Key,
    until: Key,
) -> Result<Totals, Error> {
    let mut totals = Totals::default();
    if from >= until {
        return Ok(totals);
    }
    let sets = lists.each().map(|list| nodes::range(ranking, list.into(), from, until));
    snapshot
        .each_for(SUM, sets, |_, row| {
            totals = totals.plus(Totals { count: row.int(0)?, amount: row.int(1)? })?;
            Ok(())
        })
        .await?;
    Ok(totals)
}

/// The part of one counted list that may hold what is sought.
struct Part {
    ranking: CountedList,
    low: Key,
    high: Key,
    /// Entries at `high` and after.
    above: i64,
    /// What lies from `low` to `high`.
    spans: Vec<Span>,
}

/// The range that a node covers.
#[derive(Clone, Copy)]
struct Span {
    start: Key,
    end: Key,
    count: i64,
}

impl Part {
    fn all_of(ranking: CountedList) -> Part {
        Part { ranking, low: Key::FIRST, high: Key::END, above: 0, spans: Vec::new() }
    }

    fn set_nodes(&mut self, nodes: &[Node], lists: Lists) {
        let ends = nodes.iter().skip(1).map(|node| node.key).chain([self.high]);
        let spans = nodes.iter().zip(ends).map(|(node, end)| Span {
            start: node.key,
            end,
            count: node.tally.count_in(lists),
        });
        self.spans.clear();
        self.spans.extend(spans);
    }

    /// Keeps the spans that overlap a window.
    fn narrow(&mut self, low: Key, high: Key) {
        self.above += self.spans.iter().filter(|span| span.start >= high).map(|span| span.count).sum::<i64>();
        self.spans.retain(|span| span.start < high && span.end > low);
        match (self.spans.first(), self.spans.last()) {
            (Some(first), Some(last)) => (self.low, self.high) = (first.start, last.end),
            // Nothing of this counted list can be what is sought.
            _ => self.low = self.high,
        }
    }
}

/// The narrowest range that must hold the entry with `skip` newer ones, judged by whole nodes. At a
/// key, at least the entries of all nodes that start there or later are newer, and at most those of
/// all nodes that end later. `high` is a key that is known to be after it.
fn window(parts: &[Part], skip: i64, mut high: Key) -> Option<(Key, Key)> {
    let mut starts: Vec<Span> = parts.iter().flat_map(|part| part.spans.iter().copied()).collect();
    let mut ends = starts.clone();
    starts.sort_unstable_by_key(|span| std::cmp::Reverse(span.start));
    ends.sort_unstable_by_key(|span| std::cmp::Reverse(span.end));
    let mut ends = ends.into_iter().peekable();
    let above: i64 = parts.iter().map(|part| part.above).sum();
    let (mut at_least, mut at_most) = (above, above);
    for span in starts {
        while let Some(ending) = ends.next_if(|ending| ending.end > span.start) {
            at_most += ending.count;
        }
        if at_most <= skip {
            high = high.min(span.start);
        }
        at_least += span.count;
        if at_least > skip {
            return Some((span.start, high));
        }
    }
    None
}
