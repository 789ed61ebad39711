//! Rankings against a plain vector.

use super::nodes::{self, TOP};
use super::types::Key;
use super::*;
use crate::sqlite::testing::{in_memory, now};
use crate::{Error, Snapshot, Tx};
use proptest::prelude::*;

const RANKING: CountedList = CountedList { shard: 0, environment: 7, number: 1 };
const SCHEMA: &str = include_str!("../../../../migrations/sqlite/0002_counted_lists.sql");

fn entry(list: u8, at: i64, id: u128, amount: i64) -> Entry {
    Entry { list, at, id, amount }
}

/// What [`page`] should answer.
fn model_page(model: &[Entry], lists: Lists, between: Between, skip: usize, limit: usize) -> Vec<Entry> {
    let mut inside: Vec<Entry> = model.iter().copied().filter(|entry| is_in(entry, lists, between)).collect();
    inside.sort_by_key(|entry| std::cmp::Reverse(entry.key()));
    inside.into_iter().skip(skip).take(limit).collect()
}

fn model_totals(model: &[Entry], lists: Lists, between: Between) -> Totals {
    let inside = model.iter().filter(|entry| is_in(entry, lists, between));
    inside.fold(Totals::default(), |totals, entry| Totals {
        count: totals.count + 1,
        amount: totals.amount + entry.amount,
    })
}

fn is_in(entry: &Entry, lists: Lists, between: Between) -> bool {
    lists.has(entry.list)
        && between.from.is_none_or(|from| entry.at >= from)
        && between.until.is_none_or(|until| entry.at < until)
}

#[derive(Debug, Clone)]
enum Step {
    /// Entries at any time, one call.
    Insert(Vec<(u8, i64, i64)>),
    /// Entries after all others, one call.
    Append(u8, usize),
    /// Some entries, picked by number.
    Remove(Vec<prop::sample::Index>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let insert =
        prop::collection::vec((0..LISTS as u8, 0..400i64, -50..1000i64), 1..60).prop_map(Step::Insert);
    let append = (0..LISTS as u8, 1..60usize).prop_map(|(list, count)| Step::Append(list, count));
    let remove = prop::collection::vec(any::<prop::sample::Index>(), 1..20).prop_map(Step::Remove);
    prop::collection::vec(prop_oneof![3 => insert, 2 => append, 2 => remove], 1..14)
}

fn between() -> impl Strategy<Value = Between> {
    let end = || prop::option::of(-10..700i64);
    (end(), end()).prop_map(|(from, until)| Between { from, until })
}

/// Plays the steps over counted lists, spread by id, and into the model.
fn play(tx: &mut Tx, rankings: &[CountedList], steps: &[Step]) -> Vec<Entry> {
    let mut model: Vec<Entry> = Vec::new();
    let mut next = 0u128;
    let mut id = || {
        next += 1;
        // Ids that do not rise with time.
        next.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
    };
    let ranking = |entry: &Entry| rankings[(entry.id >> 1) as usize % rankings.len()];
    for step in steps {
        let new: Vec<Entry> = match step {
            Step::Insert(new) => {
                new.iter().map(|(list, at, amount)| entry(*list, *at, id(), *amount)).collect()
            }
            Step::Append(list, count) => {
                let last = model.iter().map(|entry| entry.at).max().unwrap_or(0);
                (0..*count as i64).map(|i| entry(*list, last + i / 4, id(), i)).collect()
            }
            Step::Remove(picks) => {
                for pick in picks {
                    if model.is_empty() {
                        break;
                    }
                    let gone = model.swap_remove(pick.index(model.len()));
                    let removed = now(remove(tx, ranking(&gone), gone.list, gone.at, gone.id)).unwrap();
                    assert_eq!(removed, Some(gone.amount));
                }
                Vec::new()
            }
        };
        for target in rankings {
            let mine: Vec<Entry> = new.iter().copied().filter(|entry| ranking(entry) == *target).collect();
            now(insert(tx, *target, &mine)).unwrap();
        }
        model.extend(new);
    }
    model
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rankings_answer_like_a_plain_vector(
        steps in steps(),
        questions in prop::collection::vec((0..1u16 << LISTS, between(), 0..400usize, 0..40usize), 12),
        alone in any::<bool>(),
    ) {
        let rankings = if alone { &[RANKING][..] } else { &[RANKING, CountedList { shard: 1, ..RANKING }] };
        let mut tx = in_memory(SCHEMA);
        let model = play(&mut tx, rankings, &steps);
        for ranking in rankings {
            prop_assert_eq!(now(verify(&mut tx, *ranking)).unwrap(), None);
        }
        for (lists, between, skip, limit) in questions {
            let lists = Lists(lists);
            let found = now(page(&mut tx, rankings, lists, between, skip as i64, limit)).unwrap();
            prop_assert_eq!(found, model_page(&model, lists, between, skip, limit));
            let totals = now(totals_between(&mut tx, rankings, lists, between)).unwrap();
            prop_assert_eq!(totals, model_totals(&model, lists, between));
            let all = now(total(&mut tx, rankings, lists)).unwrap();
            prop_assert_eq!(all, model_totals(&model, lists, Between::default()));
        }
    }
}

/// A counted list of this many entries, one a second, in all lists.
fn long(tx: &mut Tx, count: i64) -> Vec<Entry> {
    let entries: Vec<Entry> = (0..count).map(|i| entry((i % LISTS as i64) as u8, i, i as u128, 1)).collect();
    for batch in entries.chunks(500) {
        now(insert(tx, RANKING, batch)).unwrap();
    }
    entries
}

#[test]
fn what_is_left_to_skip_is_less_than_one_node() {
    let mut tx = in_memory(SCHEMA);
    let count = long(&mut tx, 5000).len() as i64;
    for skip in (0..count).step_by(37) {
        let place = now(seek::seek(&mut tx, &[RANKING], Lists::ALL, skip)).unwrap().unwrap();
        assert!((0..nodes::ENTRIES_MAX as i64).contains(&place.skip), "{skip}: {place:?}");
    }
    assert_eq!(now(seek::seek(&mut tx, &[RANKING], Lists::ALL, count)).unwrap(), None);
}

#[test]
fn appending_leaves_nodes_full_and_none_too_full() {
    let mut tx = in_memory(SCHEMA);
    let count = long(&mut tx, 5000).len();
    for level in 0..=TOP {
        let nodes = now(nodes::nodes(&mut tx, RANKING, level, Key::FIRST, Key::END)).unwrap();
        let size = nodes::ENTRIES_MAX * nodes::NODES_MAX.pow(level as u32);
        assert_eq!(nodes.len(), count.div_ceil(size), "level {level}");
    }
}

#[test]
fn entries_in_the_middle_split_nodes_in_even_parts() {
    let mut tx = in_memory(SCHEMA);
    long(&mut tx, 1000);
    for i in 0..300u128 {
        now(insert(&mut tx, RANKING, &[entry(0, 500, 10_000 + i, 1)])).unwrap();
    }
    let nodes = now(nodes::nodes(&mut tx, RANKING, 0, Key::FIRST, Key::END)).unwrap();
    assert!(nodes.iter().all(|node| node.tally.count() <= nodes::ENTRIES_MAX as i64));
    assert!(nodes.len() <= 2 * 1300 / nodes::ENTRIES_MAX, "{} nodes", nodes.len());
    assert_eq!(now(verify(&mut tx, RANKING)).unwrap(), None);
}

#[test]
fn rankings_do_not_mix() {
    let mut tx = in_memory(SCHEMA);
    let neighbours = [
        RANKING,
        CountedList { number: 2, ..RANKING },
        CountedList { environment: 8, ..RANKING },
        CountedList { shard: 1, ..RANKING },
    ];
    for (ranking, amount) in neighbours.iter().zip(1..) {
        now(insert(&mut tx, *ranking, &[entry(3, 5, 9, amount)])).unwrap();
    }
    for (ranking, amount) in neighbours.iter().zip(1..) {
        let found = now(page(&mut tx, &[*ranking], Lists::ALL, Between::default(), 0, 9)).unwrap();
        assert_eq!(found, [entry(3, 5, 9, amount)]);
        let totals = now(total(&mut tx, &[*ranking], Lists::NONE.with(3))).unwrap();
        assert_eq!(totals, Totals { count: 1, amount });
    }
    assert_eq!(now(remove(&mut tx, RANKING, 2, 5, 9)).unwrap(), None);
    assert_eq!(now(remove(&mut tx, RANKING, 3, 5, 9)).unwrap(), Some(1));
    assert_eq!(now(total(&mut tx, &neighbours, Lists::ALL)).unwrap(), Totals { count: 3, amount: 9 });
    let twice = now(insert(&mut tx, neighbours[1], &[entry(3, 5, 9, 2)]));
    assert_eq!(twice, Err(Error::Conflict));
}

#[test]
fn an_audit_finds_a_wrong_count() {
    let mut tx = in_memory(SCHEMA);
    long(&mut tx, 100);
    now(tx.execute("update list_nodes set amount_2 = amount_2 + 1 where level = 0 and at = 32", &[]))
        .unwrap();
    let wrong = now(verify(&mut tx, RANKING)).unwrap().unwrap();
    assert!(wrong.contains("level 0, node 4"), "{wrong}");
    now(tx.execute("update list_nodes set amount_2 = amount_2 - 1 where level = 0 and at = 32", &[]))
        .unwrap();
    assert_eq!(now(verify(&mut tx, RANKING)).unwrap(), None);
    now(tx.execute("delete from list_entries where at = 50", &[])).unwrap();
    assert!(now(verify(&mut tx, RANKING)).unwrap().is_some());
}

#[test]
fn no_statement_walks_more_than_its_range() {
    let mut tx = in_memory(SCHEMA);
    for (sql, params) in [
        (page::OLDER, 8),
        (nodes::ENTRIES, 8),
        (seek::SUM, 8),
        (nodes::NODES, 8),
        (nodes::COUNT, 8),
        (nodes::FLOOR, 6),
        (nodes::NEXT, 6),
        (nodes::ADD, 6 + 2 * LISTS),
    ] {
        let plan = plan(&mut tx, sql, params);
        assert_eq!(plan.len(), 1, "{plan:?}");
        assert!(plan[0].starts_with("SEARCH list_"), "{plan:?}");
        let bounded = if plan[0].contains("list_entries") { "list=? AND " } else { "level=? AND " };
        assert!(plan[0].contains(bounded), "{plan:?}");
    }
}

fn plan(tx: &mut Snapshot, sql: &str, params: usize) -> Vec<String> {
    let explain: &'static str = Box::leak(format!("explain query plan {sql}").into_boxed_str());
    now(tx.rows(explain, &vec![0i64.into(); params], |row| Ok(row.text(3)?.to_owned()))).unwrap()
}
