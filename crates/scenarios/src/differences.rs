//! The list of cases whose figures differ today, and why.

use std::collections::BTreeMap;

/// The list, kept beside the cases.
const LIST: &str = include_str!("../differences.txt");

/// The ids of the listed cases, each with the reason.
///
/// # Errors
/// If a line has no reason or an id stands there twice.
pub(crate) fn known() -> Result<BTreeMap<&'static str, &'static str>, String> {
    let mut known = BTreeMap::new();
    let lines = LIST.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines {
        let (ids, why) =
            line.split_once(": ").ok_or_else(|| format!("a difference without a why: {line}"))?;
        for id in ids.split(' ') {
            if known.insert(id, why).is_some() {
                return Err(format!("{id} stands twice on the list of known differences"));
            }
        }
    }
    Ok(known)
}
