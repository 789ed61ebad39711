//! An audit of a counted list: do its nodes count what is there?

use super::nodes::{self, Node, TOP};
use super::types::{CountedList, Key, LISTS, Tally};
use crate::{Error, Snapshot};
use async_recursion::async_recursion as boxed;

/// Counts every entry again and compares; answers the first disagreement in words, if any.
#[boxed]
pub async fn verify(snapshot: &mut Snapshot, ranking: CountedList) -> Result<Option<String>, Error> {
    let mut below = nodes::nodes(snapshot, ranking, 0, Key::FIRST, Key::END).await?;
    let mut counted: Vec<Node> =
        below.iter().map(|node| Node { key: node.key, tally: Tally::default() }).collect();
    for list in 0..LISTS as u8 {
        let mut at = 0;
        let mut stray = false;
        nodes::entries(snapshot, ranking, list, Key::FIRST, Key::END, |entry| {
            while counted.get(at + 1).is_some_and(|next| next.key <= entry.key()) {
                at += 1;
            }
            match counted.get_mut(at) {
                Some(node) => node.tally = node.tally + Tally::of(&entry),
                None => stray = true,
            }
            Ok(())
        })
        .await?;
        if stray {
            return Ok(Some(format!("{ranking:?} has entries but no nodes")));
        }
    }
    if let Some(wrong) = disagreement(ranking, 0, &below, &counted) {
        return Ok(Some(wrong));
    }
    for level in 1..=TOP {
        let here = nodes::nodes(snapshot, ranking, level, Key::FIRST, Key::END).await?;
        let counted = gather(&here, &below);
        if let Some(wrong) = disagreement(ranking, level, &here, &counted) {
            return Ok(Some(wrong));
        }
        below = here;
    }
    Ok(None)
}

/// What the nodes of a level should be, judged by the nodes of the level below.
fn gather(here: &[Node], below: &[Node]) -> Vec<Node> {
    let mut counted: Vec<Node> = Vec::with_capacity(here.len());
    let mut keys = here.iter().map(|node| node.key).peekable();
    for node in below {
        let starts = keys.next_if(|key| *key == node.key).is_some();
        match counted.last_mut() {
            Some(last) if !starts => last.tally = last.tally + node.tally,
            _ => counted.push(*node),
        }
    }
    counted
}

fn disagreement(ranking: CountedList, level: i64, stored: &[Node], counted: &[Node]) -> Option<String> {
    if stored == counted {
        return None;
    }
    let at = stored.iter().zip(counted).position(|(stored, counted)| stored != counted);
    let at = at.unwrap_or(stored.len().min(counted.len()));
    let (stored, counted) = (stored.get(at), counted.get(at));
    Some(format!("{ranking:?}, level {level}, node {at}: stored {stored:?}, counted {counted:?}"))
}
