//! The Rust sources, with comments and literals set apart from code.

use std::fs;
use std::io;
use std::path::Path;

/// One Rust file.
pub(crate) struct Source {
    /// Its path from the root, with `/`.
    pub(crate) path: String,
    /// All of it.
    pub(crate) text: String,
    /// The code: comments and what is inside of literals blanked out, line for line.
    pub(crate) code: String,
    /// Its string literals, without quotes.
    pub(crate) strings: Vec<String>,
}

impl Source {
    /// Every Rust file of the repository, sorted by path.
    pub(crate) fn all(root: &Path) -> io::Result<Vec<Source>> {
        let mut sources = Vec::new();
        for folder in ["crates", "xtask", "bench"] {
            collect(root, folder, &mut sources)?;
        }
        sources.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(sources)
    }

    pub(crate) fn new(path: String, text: String) -> Source {
        let (code, strings) = split(&text);
        Source { path, text, code, strings }
    }

    /// Whether it is compiled for tests only, by where it lies.
    pub(crate) fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }
}

fn collect(root: &Path, folder: &str, into: &mut Vec<Source>) -> io::Result<()> {
    let here = root.join(folder);
    if !here.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(here)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = format!("{folder}/{name}");
        if entry.file_type()?.is_dir() {
            if name != "target" {
                collect(root, &path, into)?;
            }
        } else if name.ends_with(".rs") {
            into.push(Source::new(path, fs::read_to_string(entry.path())?));
        }
    }
    Ok(())
}

/// Blanks comments and literals out of a text, and hands the string literals out.
fn split(text: &str) -> (String, Vec<String>) {
    let mut code = String::with_capacity(text.len());
    let mut strings = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' => {
                let length = string_length(rest);
                strings.push(rest[1..length].trim_end_matches('"').to_owned());
                length
            }
            'r' if !ends_in_word(&code) => match raw_string(rest) {
                Some((length, literal)) => {
                    strings.push(literal);
                    length
                }
                None => 0,
            },
            '\'' => char_length(rest),
            _ => 0,
        };
        if taken == 0 {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            code.extend(rest[..taken].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[taken..];
        }
    }
    (code, strings)
}

fn ends_in_word(code: &str) -> bool {
    code.ends_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// The length of a string literal with its quotes.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length and the content of a raw string literal, if the text begins with one.
fn raw_string(text: &str) -> Option<(usize, String)> {
    let hashes = text[1..].chars().take_while(|c| *c == '#').count();
    let inside = text[1 + hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = inside.find(&end)?;
    Some((1 + hashes + 1 + length + end.len(), inside[..length].to_owned()))
}

/// The length of a character literal; 0 if the quote begins a lifetime.
fn char_length(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => text[3..].find('\'').map_or(0, |end| end + 4),
        Some(_) => match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 0,
        },
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_no_code() {
        let (code, strings) =
            split("let a = \"f64 \\\" x\"; // f64\nlet b = '\"'; /* f64 */ let c: &'a str;");
        assert_eq!(strings, ["f64 \\\" x"]);
        assert!(!code.contains("f64"), "{code}");
        assert!(code.contains("let c: &'a str;"), "{code}");
        assert_eq!(code.lines().count(), 2);
    }

    #[test]
    fn raw_strings_are_literals() {
        let (code, strings) = split("let a = r#\"f64 \"quoted\"\"#; let for_r = b;");
        assert_eq!(strings, ["f64 \"quoted\""]);
        assert!(code.contains("let for_r = b;") && !code.contains("f64"), "{code}");
    }
}
