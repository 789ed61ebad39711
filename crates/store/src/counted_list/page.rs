//! One page of a list, newest first.

use super::seek::{Place, seek, totals_since};
use super::types::{Between, CountedList, Entry, Key, Lists};
use crate::{Error, Param, Snapshot};
use async_recursion::async_recursion as boxed;
use std::collections::VecDeque;

pub(super) const OLDER: &str = "select at, id, amount from list_entries \
     where shard = $1 and environment = $2 and ranking = $3 and list = $4 \
     and (at, id) < ($5, $6) and at >= $7 order by at desc, id desc limit $8";

/// How many entries of each list cost next to nothing.
const SHORT: usize = 24;

/// Up to `limit` entries of some lists in a range of time, newest first, after the `skip` newest,
/// over all counted lists given. Costs about the same for any `skip`.
#[boxed]
pub async fn page(
    snapshot: &mut Snapshot,
    rankings: &[CountedList],
    lists: Lists,
    between: Between,
    skip: i64,
    limit: usize,
) -> Result<Vec<Entry>, Error> {
    let place = match (skip, between.until) {
        (0, until) => Place { below: until.map_or(Key::END, |until| Key { at: until, id: 0 }), skip: 0 },
        (skip, until) => {
            let newer = match until {
                Some(until) => totals_since(snapshot, rankings, lists, until).await?.count,
                None => 0,
            };
            match seek(snapshot, rankings, lists, newer.saturating_add(skip)).await? {
                Some(place) => place,
                None => return Ok(Vec::new()),
            }
        }
    };
    let from = between.from.unwrap_or(i64::MIN);
    let wanted = usize::try_from(place.skip).unwrap_or(0).saturating_add(limit);
    let mut streams: Vec<Stream> = rankings
        .iter()
        .flat_map(|ranking| lists.each().map(|list| Stream::new(*ranking, list, place.below)))
        .collect();
    // Most of what is listed may be in one of the lists: a short page is read in one go.
    let mut chunk = (wanted / streams.len().max(1) + 4).max(SHORT);
    let mut merged = Vec::with_capacity(limit);
    let mut taken = 0;
    while taken < wanted {
        fill(snapshot, &mut streams, from, chunk.min(wanted - taken)).await?;
        // Until a stream runs dry, the newest of all heads is the next entry.
        while taken < wanted && !streams.iter().any(Stream::is_dry) {
            let heads = streams.iter_mut().filter(|stream| !stream.entries.is_empty());
            let Some(newest) = heads.max_by_key(|stream| stream.entries.front().map(Entry::key)) else {
                return Ok(merged);
            };
            let entry = newest.entries.pop_front();
            if taken >= wanted - limit {
                merged.extend(entry);
            }
            taken += 1;
        }
        // Of many lists one runs dry after the other, so there may be more rounds than a number has doublings.
        chunk = chunk.saturating_mul(2);
    }
    Ok(merged)
}

/// One list of one counted list, read in chunks.
struct Stream {
    ranking: CountedList,
    list: u8,
    below: Key,
    entries: VecDeque<Entry>,
    /// Whether there is nothing more than `entries`.
    ended: bool,
}

impl Stream {
    fn new(ranking: CountedList, list: u8, below: Key) -> Stream {
        Stream { ranking, list, below, entries: VecDeque::new(), ended: false }
    }

    /// Whether the next entry is not known yet.
    fn is_dry(&self) -> bool {
        self.entries.is_empty() && !self.ended
    }
}

/// Reads on in all streams that ran dry, in one statement.
async fn fill(snapshot: &mut Snapshot, streams: &mut [Stream], from: i64, chunk: usize) -> Result<(), Error> {
    let mut dry: Vec<&mut Stream> = streams.iter_mut().filter(|stream| stream.is_dry()).collect();
    let sets: Vec<[Param<'static>; 8]> = dry
        .iter()
        .map(|stream| {
            [
                stream.ranking.shard.into(),
                stream.ranking.environment.into(),
                stream.ranking.number.into(),
                stream.list.into(),
                stream.below.at.into(),
                stream.below.id.into(),
                from.into(),
                (chunk as i64).into(),
            ]
        })
        .collect();
    snapshot
        .each_for(OLDER, sets, |n, row| {
            let list = dry[n].list;
            dry[n].entries.push_back(Entry { list, at: row.int(0)?, id: row.id(1)?, amount: row.int(2)? });
            Ok(())
        })
        .await?;
    for stream in dry {
        stream.ended = stream.entries.len() < chunk;
        stream.below = stream.entries.back().map_or(stream.below, Entry::key);
    }
    Ok(())
}
