//! One statement for many sets of parameters: the text that was written for one set, over arrays.
//!
//! `insert … values ($1, $2)` becomes `insert … select sets.p1, sets.p2 from unnest($1, $2) …`, and so
//! on; a text of another shape is run once for each set. Texts are made from constants of this crate
//! only, never from input.

use std::collections::BTreeSet;
use std::fmt::Write;

/// A statement over arrays.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bulk {
    pub(super) text: String,
    /// What it is noted as.
    pub(super) on: &'static str,
    /// The parameters by which rows are found. Two sets that agree in all of them would meet in one
    /// row, where only one of them would be seen; such sets are run one after another.
    pub(super) keys: Option<Vec<usize>>,
}

const WRITTEN: &str = "postgres written over arrays";

/// Reading: after the columns of the answer comes the number of the set, from 1. `offset 0` keeps the
/// question whole: each set finds its rows by their keys, however small the tables were when it was
/// planned, and looks into one partition.
pub(super) fn reading(sql: &str, width: usize) -> Bulk {
    let of_each = with_columns(sql);
    let mut text = String::from("select answer.*, sets.n from ");
    push_sets(&mut text, width, true);
    let _ = write!(text, " cross join lateral (select * from ({of_each}) as one offset 0) as answer");
    Bulk { text, on: "postgres over arrays", keys: None }
}

/// Writing; none for a text of a shape that cannot be written so.
pub(super) fn writing(sql: &str, width: usize) -> Option<Bulk> {
    match sql.split_ascii_whitespace().next()? {
        "insert" => insert(sql, width),
        "update" => at_where(sql, width, "from"),
        "delete" => at_where(sql, width, "using"),
        _ => None,
    }
}

fn insert(sql: &str, width: usize) -> Option<Bulk> {
    let (into, rest) = sql.split_once("values (").or_else(|| {
        let (into, rest) = sql.split_once("values")?;
        Some((into, rest.trim_start().strip_prefix('(')?))
    })?;
    let (values, rest) = rest.split_once(')')?;
    // A second row, or parameters and rows that meet in what follows, are not for this.
    if values.contains('(') || !rest.trim().is_empty() {
        return None;
    }
    let mut text = format!("{into}select {} from ", with_columns(values.trim()));
    push_sets(&mut text, width, false);
    Some(Bulk { text, on: WRITTEN, keys: None })
}

fn at_where(sql: &str, width: usize, joining: &str) -> Option<Bulk> {
    let mut parts = sql.split("where ");
    let (before, condition) = (parts.next()?, parts.next()?);
    if parts.next().is_some() || sql.contains("select") {
        return None;
    }
    let keys: BTreeSet<usize> = condition.split(" and ").filter_map(key).collect();
    let mut text = format!("{} {joining} ", with_columns(before.trim_end()));
    push_sets(&mut text, width, false);
    let _ = write!(text, " where {}", with_columns(condition));
    (!keys.is_empty()).then(|| Bulk { text, on: WRITTEN, keys: Some(keys.into_iter().collect()) })
}

/// The place of the parameter in `column = $n`, from 0.
fn key(condition: &str) -> Option<usize> {
    let (column, parameter) = condition.trim().split_once(" = $")?;
    let is_column = column.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_column { parameter.parse::<usize>().ok()?.checked_sub(1) } else { None }
}

/// `unnest($1, $2) with ordinality as sets (p1, p2, n)`.
fn push_sets(text: &mut String, width: usize, numbered: bool) {
    let list = |prefix: &str| -> String {
        let names: Vec<String> = (1..=width).map(|n| format!("{prefix}{n}")).collect();
        names.join(", ")
    };
    let (ordinality, n) = if numbered { (" with ordinality", ", n") } else { ("", "") };
    let _ = write!(text, "unnest({}){ordinality} as sets ({}{n})", list("$"), list("p"));
}

/// Writes each `$1` as `sets.p1`. No text of this crate holds a dollar sign in quotes.
fn with_columns(sql: &str) -> String {
    sql.replace('$', "sets.p")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_insert_selects_from_arrays() {
        let bulk = writing("insert into t (a, b, c) values ($1, $2, 1)", 2).unwrap();
        assert_eq!(
            bulk.text,
            "insert into t (a, b, c) select sets.p1, sets.p2, 1 from unnest($1, $2) as sets (p1, p2)"
        );
        assert_eq!(bulk.keys, None);
        assert_eq!(writing("insert into t (a) values ($1) on conflict (a) do nothing", 1), None);
    }

    #[test]
    fn an_update_joins_arrays_and_knows_its_keys() {
        let bulk = writing("update t set a = $3, n = n + 1 where shard = $1 and id = $2", 3).unwrap();
        assert_eq!(
            bulk.text,
            "update t set a = sets.p3, n = n + 1 from unnest($1, $2, $3) as sets (p1, p2, p3) \
             where shard = sets.p1 and id = sets.p2"
        );
        assert_eq!(bulk.keys, Some(vec![0, 1]));
        assert_eq!(writing("update t set a = (select 1 where b) where id = $1", 1), None);
    }

    #[test]
    fn a_question_is_asked_of_every_set() {
        assert_eq!(
            reading("select a from t where id = $1 order by a", 1).text,
            "select answer.*, sets.n from unnest($1) with ordinality as sets (p1, n) \
             cross join lateral (select * from (select a from t where id = sets.p1 order by a) as one \
             offset 0) as answer"
        );
    }

    #[test]
    fn parameters_above_nine_keep_their_number() {
        assert_eq!(with_columns("$1, $12"), "sets.p1, sets.p12");
    }
}
