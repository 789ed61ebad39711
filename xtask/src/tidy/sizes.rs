//! Files and functions stay short. A ratchet: what is longer is listed with its length and reason, and
//! may only shrink.

use super::source::Source;

const FILE_LINES_MAX: usize = 500;
/// Tests tell cases one after another.
const TEST_FILE_LINES_MAX: usize = 800;
const FUNCTION_LINES_MAX: usize = 70;

/// Files that are longer, how long they may be, and why.
const LONG_FILES: &[(&str, usize, &str)] = &[
    ("crates/store/src/rows/columns.rs", 800, "one list of columns for every table, side by side"),
    ("crates/store/src/commit.rs", 600, "one arm for every kind of row, in the order of references"),
];

/// Functions that are longer, how long they may be, and why.
const LONG_FUNCTIONS: &[(&str, &str, usize, &str)] = &[
    ("crates/store/src/commit.rs", "write_rows", 90, "one arm for every kind of row"),
    ("crates/store/src/payers.rs", "load", 90, "one statement after another over the same customers"),
];

/// Holds files and functions to their lengths.
pub(super) fn check(sources: &[Source], breaches: &mut Vec<String>) {
    for source in sources {
        let lines = source.text.lines().count();
        let listed = LONG_FILES.iter().find(|(path, ..)| *path == source.path);
        let usual = if source.is_test() { TEST_FILE_LINES_MAX } else { FILE_LINES_MAX };
        let most = listed.map_or(usual, |(_, most, _)| *most);
        if lines > most {
            breaches.push(format!("{}: {lines} lines, more than {most}", source.path));
        }
        if source.is_test() {
            continue;
        }
        for function in functions(&source.code) {
            let listed =
                LONG_FUNCTIONS.iter().find(|(path, name, ..)| *path == source.path && *name == function.name);
            let most = listed.map_or(FUNCTION_LINES_MAX, |(_, _, most, _)| *most);
            if function.lines > most {
                let Function { name, line, lines } = function;
                breaches
                    .push(format!("{}:{line}: `{name}` has {lines} lines, more than {most}", source.path));
            }
        }
    }
}

struct Function {
    name: String,
    line: usize,
    lines: usize,
}

/// The functions of a file that have a body, with the lines from `fn` to the closing brace.
fn functions(code: &str) -> Vec<Function> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let head = &code[at + 3..];
        let name: String = head.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let Some(length) = body_length(head).filter(|_| !name.is_empty()) else { continue };
        found.push(Function {
            name,
            line: code[..at].matches('\n').count() + 1,
            lines: head[..length].matches('\n').count() + 1,
        });
    }
    found
}

/// How far a body reaches from the start of its head; none if there is no body.
fn body_length(head: &str) -> Option<usize> {
    let mut depth = 0_i32;
    let mut brackets = 0_i32;
    for (at, c) in head.char_indices() {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets -= 1,
            ';' if depth == 0 && brackets == 0 => return None,
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 && brackets == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_measured_to_their_closing_brace() {
        let code =
            "fn a() {\n  if x { y }\n}\ntrait T { fn b(&self) -> [u8; 2]; }\nfn c(f: impl Fn(u8)) {\n}\n";
        let found: Vec<_> = functions(code).into_iter().map(|f| (f.name, f.line, f.lines)).collect();
        assert_eq!(found, [("a".to_owned(), 1, 3), ("c".to_owned(), 5, 2)]);
    }
}
