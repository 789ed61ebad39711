//! Which file of a crate uses what of which other file, seen through re-exports.
//!
//! It reads paths (`use`, `crate::…`, `super::…`, names that were imported) and no types: a method that
//! is called without its type being named leaves no trace. A `mod` line and the name of a module alone
//! are no use of it; an item is used in the file that defines it, whatever roof it is named under.

use super::source::Source;
use std::collections::{BTreeMap, BTreeSet};

/// A crate: its modules, each a file.
pub(super) struct Crate<'s> {
    modules: Vec<Module<'s>>,
}

struct Module<'s> {
    source: &'s Source,
    parent: Option<usize>,
    children: BTreeMap<String, usize>,
    uses: Vec<Use>,
    /// Other paths of at least two segments.
    paths: Vec<Vec<String>>,
    /// What it defines itself.
    defined: BTreeSet<String>,
    /// Names of types within its macros, which may define them.
    in_macros: BTreeSet<String>,
}

/// One name that a `use` brings; none if it brings all (`*`).
struct Use {
    path: Vec<String>,
    name: Option<String>,
}

/// What a path leads to: a module itself, or an item that a module defines.
#[derive(Clone, Copy)]
enum Found {
    Module(usize),
    Item(usize),
}

impl<'s> Crate<'s> {
    /// The crate whose sources lie in a folder; none if it has no root there. Tests are left out, and a
    /// program beside a library, which is a crate of its own.
    pub(super) fn of(folder: &str, sources: &'s [Source]) -> Option<Self> {
        let root = ["lib.rs", "main.rs"].into_iter().find(|root| {
            let path = format!("{folder}{root}");
            sources.iter().any(|source| source.path == path)
        })?;
        let mut named: Vec<(Vec<String>, &Source)> = sources
            .iter()
            .filter(|source| !source.is_test())
            .filter_map(|source| Some((module_path(source.path.strip_prefix(folder)?, root)?, source)))
            .collect();
        // A parent comes before its children.
        named.sort_by_key(|(path, _)| path.len());
        let mut of_path: BTreeMap<Vec<String>, usize> = BTreeMap::new();
        let mut modules: Vec<Module<'_>> = Vec::new();
        for (path, source) in named {
            let parent = path.split_last().and_then(|(_, above)| of_path.get(above).copied());
            if let (Some(parent), Some(name)) = (parent, path.last()) {
                let number = modules.len();
                modules[parent].children.insert(name.clone(), number);
            }
            of_path.insert(path, modules.len());
            modules.push(Module::read(source, parent));
        }
        Some(Self { modules })
    }

    /// Who uses whom, by path: for each pair of files one of the paths by which it does.
    pub(super) fn uses(&self) -> BTreeMap<(&'s str, &'s str), String> {
        let mut edges = BTreeMap::new();
        for (from, module) in self.modules.iter().enumerate() {
            let imports = module.uses.iter().map(|used| (&used.path, used.name.is_none()));
            for (path, is_all) in imports.chain(module.paths.iter().map(|path| (path, false))) {
                let to = match self.find(from, path, &mut Vec::new()) {
                    Some(Found::Item(to)) => to,
                    Some(Found::Module(to)) if is_all => to,
                    Some(Found::Module(_)) | None => continue,
                };
                if to != from {
                    let pair = (module.source.path.as_str(), self.modules[to].source.path.as_str());
                    edges.entry(pair).or_insert_with(|| path.join("::"));
                }
            }
        }
        edges
    }

    /// Where a path leads, seen from a module; none if it leads out of the crate.
    fn find(&self, from: usize, path: &[String], seen: &mut Vec<(usize, String)>) -> Option<Found> {
        let (first, mut rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => Found::Module(0),
            "self" => Found::Module(from),
            "super" => Found::Module(self.modules[from].parent?),
            name => self.look_up(from, name, rest.is_empty(), seen)?,
        };
        while let Some((name, further)) = rest.split_first() {
            let Found::Module(module) = at else { break };
            at = match name.as_str() {
                "super" => Found::Module(self.modules[module].parent?),
                // What is not seen, because a macro makes it, is the module's own.
                name => self.look_up(module, name, further.is_empty(), seen).unwrap_or(Found::Item(module)),
            };
            rest = further;
        }
        Some(at)
    }

    /// What a name means in a module; none if it does not say.
    fn look_up(
        &self,
        module: usize,
        name: &str,
        is_last: bool,
        seen: &mut Vec<(usize, String)>,
    ) -> Option<Found> {
        let Module { children, uses, defined, .. } = &self.modules[module];
        if is_last && defined.contains(name) {
            return Some(Found::Item(module));
        }
        let key = (module, name.to_owned());
        if seen.contains(&key) {
            return children.get(name).copied().map(Found::Module);
        }
        seen.push(key);
        let imported = uses.iter().filter(|used| used.name.as_deref() == Some(name));
        let imported: Vec<Found> = imported.filter_map(|used| self.find(module, &used.path, seen)).collect();
        let child = children.get(name).copied().map(Found::Module);
        // A function may be called like the module that it lies in.
        let item = imported.iter().find(|found| is_last == matches!(found, Found::Item(_)));
        let plain = item.or(imported.first()).copied();
        let plain = if is_last { plain.or(child) } else { child.or(plain) };
        plain.or_else(|| {
            let globs = uses.iter().filter(|used| used.name.is_none());
            let mut targets = globs.filter_map(|used| match self.find(module, &used.path, seen) {
                Some(Found::Module(target)) if target != module => Some(target),
                _ => None,
            });
            let targets: Vec<usize> = targets.by_ref().collect();
            let found = targets.iter().find_map(|target| self.look_up(*target, name, is_last, seen));
            let makes = |target: &&usize| self.modules[**target].in_macros.contains(name);
            found.or_else(|| targets.iter().find(makes).map(|target| Found::Item(*target)))
        })
    }
}

/// The path of the module that a file of a crate is.
fn module_path(file: &str, root: &str) -> Option<Vec<String>> {
    let mut path: Vec<String> = file.strip_suffix(".rs")?.split('/').map(str::to_owned).collect();
    if file == root {
        path.clear();
    } else if matches!(file, "main.rs" | "lib.rs") || file.starts_with("bin/") {
        return None;
    } else if path.last().is_some_and(|name| name == "mod") {
        path.pop();
    }
    Some(path)
}

impl<'s> Module<'s> {
    fn read(source: &'s Source, parent: Option<usize>) -> Self {
        let code = without_tests(&source.code);
        let tokens = tokens(&code);
        let mut module = Self {
            source,
            parent,
            children: BTreeMap::new(),
            uses: Vec::new(),
            paths: Vec::new(),
            defined: BTreeSet::new(),
            in_macros: names_in_macros(&tokens),
        };
        let mut at = 0;
        while at < tokens.len() {
            match tokens[at] {
                "use" => {
                    let end = tokens[at..].iter().position(|t| *t == ";").map_or(tokens.len(), |n| at + n);
                    read_use(&tokens[at + 1..end], &[], &mut module.uses);
                    at = end;
                }
                "fn" | "struct" | "enum" | "union" | "trait" | "type" | "const" | "static" => {
                    module.defined.extend(tokens.get(at + 1).map(|name| (*name).to_owned()));
                    at += 1;
                }
                token if is_name(token) => {
                    let begins = at == 0 || tokens[at - 1] != "::";
                    let mut path = vec![token.to_owned()];
                    while let ["::", name, ..] = tokens[at + 1..]
                        && is_name(name)
                    {
                        path.push((*name).to_owned());
                        at += 2;
                    }
                    if begins && path.len() > 1 {
                        module.paths.push(path);
                    }
                    at += 1;
                }
                _ => at += 1,
            }
        }
        module
    }
}

/// The capitalized names in calls of macros with braces: `ids! { CustomerId, … }`.
fn names_in_macros(tokens: &[&str]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut at = 0;
    while at < tokens.len() {
        if let [name, "!", "{", ..] = tokens[at..]
            && is_name(name)
        {
            let mut depth = 0;
            at += 2;
            while let Some(token) = tokens.get(at) {
                match *token {
                    "{" => depth += 1,
                    "}" => depth -= 1,
                    name if name.starts_with(char::is_uppercase) => {
                        names.insert(name.to_owned());
                    }
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
                at += 1;
            }
        }
        at += 1;
    }
    names
}

/// Reads what follows `use`, under a path.
fn read_use(tokens: &[&str], under: &[String], uses: &mut Vec<Use>) {
    let mut path = under.to_vec();
    for (at, token) in tokens.iter().enumerate() {
        match *token {
            "::" => {}
            "*" => return uses.push(Use { path, name: None }),
            "{" => {
                for part in parts(&tokens[at + 1..]) {
                    read_use(part, &path, uses);
                }
                return;
            }
            "as" => {
                let name = tokens.get(at + 1).map(|name| (*name).to_owned());
                return uses.push(Use { path, name });
            }
            "self" if !path.is_empty() => {}
            name => path.push(name.to_owned()),
        }
    }
    let name = path.last().cloned();
    if name.is_some() {
        uses.push(Use { path, name });
    }
}

/// The parts of a list in braces, up to its end.
fn parts<'t, 'a>(tokens: &'t [&'a str]) -> Vec<&'t [&'a str]> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, token) in tokens.iter().enumerate() {
        match *token {
            "{" => depth += 1,
            "," | "}" if depth == 0 => {
                parts.push(&tokens[start..at]);
                start = at + 1;
                if *token == "}" {
                    break;
                }
            }
            "}" => depth -= 1,
            _ => {}
        }
    }
    parts
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names, `::` and single characters.
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let length = match word {
            0 if rest.starts_with("::") => 2,
            0 => first.len_utf8(),
            word => word,
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

/// Code with what is compiled for tests only blanked out.
fn without_tests(code: &str) -> String {
    let mut left = code.to_owned();
    while let Some(start) = left.find("#[cfg(test)]") {
        let head = left[start..].find(['{', ';']).map_or(left.len(), |at| start + at);
        let mut depth = 0_i32;
        let end = left[head..].char_indices().find_map(|(at, c)| {
            depth += match c {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
            (depth == 0).then_some(head + at + c.len_utf8())
        });
        left.replace_range(start..end.unwrap_or(left.len()), "");
    }
    left
}
