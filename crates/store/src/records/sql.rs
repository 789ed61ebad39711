//! The statements of a record, made from its declaration when the program is compiled.

/// How long a statement of a record can be.
const LENGTH_MAX: usize = 2048;

/// A text that is made at compile time.
pub(crate) struct Sql {
    bytes: [u8; LENGTH_MAX],
    length: usize,
}

/// The columns of a record, field by field.
pub(crate) type Fields = &'static [&'static [&'static str]];

impl Sql {
    const fn new() -> Sql {
        Sql { bytes: [0; LENGTH_MAX], length: 0 }
    }

    /// The text.
    pub(crate) const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(text) => text,
            Err(_) => panic!("names of tables and columns are UTF-8"),
        }
    }

    const fn push(mut self, text: &str) -> Sql {
        let text = text.as_bytes();
        let mut n = 0;
        while n < text.len() {
            self.bytes[self.length] = text[n];
            self.length += 1;
            n += 1;
        }
        self
    }

    const fn push_parameter(mut self, number: usize) -> Sql {
        self = self.push("$");
        if number >= 10 {
            self = self.push_digit(number / 10);
        }
        self.push_digit(number % 10)
    }

    const fn push_digit(mut self, digit: usize) -> Sql {
        assert!(digit < 10, "a record has fewer than a hundred columns");
        self.bytes[self.length] = b'0' + digit as u8;
        self.length += 1;
        self
    }

    /// `insert into t (a, b) values ($1, $2)`.
    pub(crate) const fn insert(table: &str, columns: Fields) -> Sql {
        let mut sql = Sql::new().push("insert into ").push(table).push(" (");
        let width = width(columns);
        let mut n = 0;
        while n < width {
            sql = sql.push(if n == 0 { "" } else { ", " }).push(nth(columns, n));
            n += 1;
        }
        sql = sql.push(") values (");
        n = 0;
        while n < width {
            sql = sql.push(if n == 0 { "" } else { ", " }).push_parameter(n + 1);
            n += 1;
        }
        sql.push(")")
    }

    /// `update t set c = $3 where a = $1 and b = $2`; empty where nothing may change.
    pub(crate) const fn update(table: &str, key: Fields, mutable: Fields) -> Sql {
        if width(mutable) == 0 {
            return Sql::new();
        }
        let mut sql = Sql::new().push("update ").push(table).push(" set ");
        let mut n = 0;
        while n < width(mutable) {
            sql = sql.push(if n == 0 { "" } else { ", " }).push(nth(mutable, n)).push(" = ");
            sql = sql.push_parameter(width(key) + n + 1);
            n += 1;
        }
        sql.push_key(key)
    }

    /// `delete from t where a = $1 and b = $2`.
    pub(crate) const fn delete(table: &str, key: Fields) -> Sql {
        Sql::new().push("delete from ").push(table).push_key(key)
    }

    const fn push_key(mut self, key: Fields) -> Sql {
        let mut n = 0;
        while n < width(key) {
            self = self.push(if n == 0 { " where " } else { " and " }).push(nth(key, n)).push(" = ");
            self = self.push_parameter(n + 1);
            n += 1;
        }
        self
    }
}

/// How many columns fields have.
pub(crate) const fn width(fields: Fields) -> usize {
    let mut found = 0;
    let mut n = 0;
    while n < fields.len() {
        found += fields[n].len();
        n += 1;
    }
    found
}

/// The place of a column among all; none if there is none of this name.
pub(crate) const fn position(fields: Fields, name: &str) -> Option<usize> {
    let mut n = 0;
    while n < width(fields) {
        if same(nth(fields, n), name) {
            return Some(n);
        }
        n += 1;
    }
    None
}

const fn nth(fields: Fields, mut n: usize) -> &'static str {
    let mut field = 0;
    while n >= fields[field].len() {
        n -= fields[field].len();
        field += 1;
    }
    fields[field][n]
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut n = 0;
    while n < a.len() && n < b.len() && a[n] == b[n] {
        n += 1;
    }
    n == a.len() && n == b.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Fields = &[&["shard"], &["id"]];

    #[test]
    fn statements_number_their_parameters() {
        const INSERT: &Sql = &Sql::insert("t", &[&["shard"], &["id"], &["unit", "count"]]);
        assert_eq!(INSERT.as_str(), "insert into t (shard, id, unit, count) values ($1, $2, $3, $4)");
        const UPDATE: &Sql = &Sql::update("t", KEY, &[&["a"], &["b", "c"]]);
        assert_eq!(UPDATE.as_str(), "update t set a = $3, b = $4, c = $5 where shard = $1 and id = $2");
        assert_eq!(Sql::update("t", KEY, &[]).as_str(), "");
        assert_eq!(Sql::delete("t", KEY).as_str(), "delete from t where shard = $1 and id = $2");
        assert_eq!(position(KEY, "id"), Some(1));
        assert_eq!(position(KEY, "i"), None);
    }
}
