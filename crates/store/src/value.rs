//! Values on their way into a statement and out of a row.

use crate::Error;
use rusqlite::types::ValueRef;
use std::borrow::Cow;
use std::cell::Cell;

/// One parameter of a statement.
#[derive(Clone, PartialEq)]
pub enum Param<'a> {
    /// SQL `NULL`.
    Null,
    /// `boolean`; 0 or 1 in SQLite.
    Bool(bool),
    /// `bigint` (or a narrower integer).
    Int(i64),
    /// `text`.
    Text(Cow<'a, str>),
    /// `uuid`; 16 big-endian bytes in SQLite.
    Id(u128),
    /// `bytea`, `blob` in SQLite.
    Bytes(&'a [u8]),
}

/// Shows the kind only: a value may be a secret.
impl std::fmt::Debug for Param<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Param::Null => "null",
            Param::Bool(_) => "bool",
            Param::Int(_) => "int",
            Param::Text(_) => "text",
            Param::Id(_) => "id",
            Param::Bytes(_) => "bytes",
        })
    }
}

macro_rules! param_from {
    ($($from:ty => |$value:ident| $param:expr;)*) => {
        $(impl<'a> From<$from> for Param<'a> {
            fn from($value: $from) -> Param<'a> {
                $param
            }
        })*
    };
}

param_from! {
    bool => |value| Param::Bool(value);
    i64 => |value| Param::Int(value);
    i32 => |value| Param::Int(value.into());
    i16 => |value| Param::Int(value.into());
    u32 => |value| Param::Int(value.into());
    u16 => |value| Param::Int(value.into());
    u8 => |value| Param::Int(value.into());
    u128 => |value| Param::Id(value);
    &'a str => |value| Param::Text(Cow::Borrowed(value));
    &'a String => |value| Param::Text(Cow::Borrowed(value));
    String => |value| Param::Text(Cow::Owned(value));
    Cow<'a, str> => |value| Param::Text(value);
    &'a [u8] => |value| Param::Bytes(value);
    &'a Vec<u8> => |value| Param::Bytes(value);
    &'a [u8; 32] => |value| Param::Bytes(value);
}

impl<'a, T: Into<Param<'a>>> From<Option<T>> for Param<'a> {
    fn from(value: Option<T>) -> Param<'a> {
        value.map_or(Param::Null, Into::into)
    }
}

/// Sets of parameters for one statement, all of one width.
#[derive(Clone, Default)]
pub(crate) struct Sets<'p> {
    width: usize,
    params: Vec<Param<'p>>,
}

impl<'p> Sets<'p> {
    /// No sets yet, each of so many parameters.
    pub(crate) fn new(width: usize, capacity: usize) -> Sets<'p> {
        Sets { width, params: Vec::with_capacity(width * capacity) }
    }

    /// Sets of a width that is known when the program is compiled.
    pub(crate) fn of<const N: usize>(sets: impl IntoIterator<Item = [Param<'p>; N]>) -> Sets<'p> {
        let sets = sets.into_iter();
        let mut all = Sets::new(N, sets.size_hint().0);
        sets.for_each(|set| all.params.extend(set));
        all
    }

    /// Where the parameters of another set are added.
    pub(crate) fn params(&mut self) -> &mut Vec<Param<'p>> {
        &mut self.params
    }

    /// How many parameters each set has.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// How many sets there are.
    pub(crate) fn len(&self) -> usize {
        self.params.len().checked_div(self.width).unwrap_or(0)
    }

    /// Whether there is no set.
    pub(crate) fn is_empty(&self) -> bool {
        self.params.is_empty()
    }

    /// The parameters of all sets, one after another.
    pub(crate) fn params_of_all(&self) -> &[Param<'p>] {
        &self.params
    }

    /// Each set.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[Param<'p>]> + Clone {
        self.params.chunks_exact(self.width.max(1))
    }
}

/// A parameter that outlives whoever asks with it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum OwnedParam {
    Null,
    Bool(bool),
    Int(i64),
    Text(Box<str>),
    Id(u128),
    Bytes(Box<[u8]>),
}

impl From<&Param<'_>> for OwnedParam {
    fn from(param: &Param<'_>) -> OwnedParam {
        match param {
            Param::Null => OwnedParam::Null,
            Param::Bool(value) => OwnedParam::Bool(*value),
            Param::Int(value) => OwnedParam::Int(*value),
            Param::Text(value) => OwnedParam::Text(value.as_ref().into()),
            Param::Id(value) => OwnedParam::Id(*value),
            Param::Bytes(value) => OwnedParam::Bytes((*value).into()),
        }
    }
}

impl std::fmt::Debug for OwnedParam {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.param().fmt(f)
    }
}

impl OwnedParam {
    pub(crate) fn param(&self) -> Param<'_> {
        match self {
            OwnedParam::Null => Param::Null,
            OwnedParam::Bool(value) => Param::Bool(*value),
            OwnedParam::Int(value) => Param::Int(*value),
            OwnedParam::Text(value) => Param::Text(Cow::Borrowed(value)),
            OwnedParam::Id(value) => Param::Id(*value),
            OwnedParam::Bytes(value) => Param::Bytes(value),
        }
    }
}

/// One value of a row, as a database gives it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'r> {
    Null,
    Bool(bool),
    Int(i64),
    Text(&'r str),
    Id(u128),
    Bytes(&'r [u8]),
    Real,
}

/// One row of an answer.
///
/// Records and other answers of several columns take their columns one after another by name
/// (`Row::take`): the order is that of the select list, which stands beside it or comes from the same
/// declaration. A single column is read by its place, counted from 0.
pub struct Row<'r> {
    source: Source<'r>,
    /// The place of the column that is taken next.
    next: Cell<usize>,
    /// Whether the names of columns are looked at. A connection does so when it gives the first row of a
    /// statement: its text is constant, and so are the names.
    looks_at_names: bool,
}

/// Who looks at the rows of an answer, each with the number of its set of parameters.
pub(crate) type See<'a> = &'a mut (dyn FnMut(usize, &Row<'_>) -> Result<(), Error> + Send + 'a);

#[derive(Clone, Copy)]
pub(crate) enum Source<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r tokio_postgres::Row),
}

impl<'r> Row<'r> {
    pub(crate) fn new(source: Source<'r>, looks_at_names: bool) -> Row<'r> {
        Row { source, next: Cell::new(0), looks_at_names }
    }
}

#[allow(clippy::wildcard_enum_match_arm, reason = "whatever else a column holds is told by its kind")]
impl Row<'_> {
    /// The place of the next column, which must have this name.
    ///
    /// # Errors
    /// [`Error::Misuse`] if it has another, or there is none.
    pub(crate) fn take(&self, name: &str) -> Result<usize, Error> {
        let at = self.next.get();
        self.next.set(at + 1);
        if self.looks_at_names && self.name(at) != Some(name) {
            let found = self.name(at).unwrap_or("missing");
            return Err(Error::Misuse(format!("column {at} is {found}, not {name}")));
        }
        Ok(at)
    }

    /// Whether the column that is taken next is null.
    pub(crate) fn next_is_null(&self) -> Result<bool, Error> {
        Ok(matches!(self.value(self.next.get())?, Value::Null))
    }

    /// The place of the last column of a name among those that were taken already.
    pub(crate) fn taken(&self, name: &str) -> Result<usize, Error> {
        let found = (0..self.next.get()).rev().find(|at| self.name(*at) == Some(name));
        found.ok_or_else(|| Error::Misuse(format!("no column {name} was taken before")))
    }

    fn name(&self, at: usize) -> Option<&str> {
        match self.source {
            Source::Sqlite(row) => row.as_ref().column_name(at).ok(),
            Source::Postgres(row) => row.columns().get(at).map(tokio_postgres::Column::name),
        }
    }

    /// An integer that is never null.
    pub fn int(&self, i: usize) -> Result<i64, Error> {
        self.opt_int(i)?.ok_or_else(|| null(i))
    }

    /// An integer or null.
    pub fn opt_int(&self, i: usize) -> Result<Option<i64>, Error> {
        match self.value(i)? {
            Value::Null => Ok(None),
            Value::Int(value) => Ok(Some(value)),
            other => Err(kind(i, "an integer", &other)),
        }
    }

    /// A boolean that is never null.
    pub fn bool(&self, i: usize) -> Result<bool, Error> {
        self.opt_bool(i)?.ok_or_else(|| null(i))
    }

    /// A boolean or null; 0 and 1 are booleans too.
    pub fn opt_bool(&self, i: usize) -> Result<Option<bool>, Error> {
        match self.value(i)? {
            Value::Null => Ok(None),
            Value::Bool(value) => Ok(Some(value)),
            Value::Int(0) => Ok(Some(false)),
            Value::Int(1) => Ok(Some(true)),
            other => Err(kind(i, "a boolean", &other)),
        }
    }

    /// A text that is never null.
    pub fn text(&self, i: usize) -> Result<&str, Error> {
        self.opt_text(i)?.ok_or_else(|| null(i))
    }

    /// A text or null.
    pub fn opt_text(&self, i: usize) -> Result<Option<&str>, Error> {
        match self.value(i)? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            other => Err(kind(i, "a text", &other)),
        }
    }

    /// An id that is never null.
    pub fn id(&self, i: usize) -> Result<u128, Error> {
        self.opt_id(i)?.ok_or_else(|| null(i))
    }

    /// An id or null.
    pub fn opt_id(&self, i: usize) -> Result<Option<u128>, Error> {
        match self.value(i)? {
            Value::Null => Ok(None),
            Value::Id(id) => Ok(Some(id)),
            Value::Bytes(bytes) => match bytes.try_into() {
                Ok(bytes) => Ok(Some(u128::from_be_bytes(bytes))),
                Err(_) => Err(Error::Corrupt(format!("column {i} holds {} bytes, not an id", bytes.len()))),
            },
            other => Err(kind(i, "an id", &other)),
        }
    }

    /// Bytes that are never null.
    pub fn bytes(&self, i: usize) -> Result<&[u8], Error> {
        self.opt_bytes(i)?.ok_or_else(|| null(i))
    }

    /// Bytes or null.
    pub fn opt_bytes(&self, i: usize) -> Result<Option<&[u8]>, Error> {
        match self.value(i)? {
            Value::Null => Ok(None),
            Value::Bytes(bytes) => Ok(Some(bytes)),
            other => Err(kind(i, "bytes", &other)),
        }
    }

    pub(crate) fn value(&self, i: usize) -> Result<Value<'_>, Error> {
        match self.source {
            Source::Sqlite(row) => match row.get_ref(i).map_err(|_| no_column(i))? {
                ValueRef::Null => Ok(Value::Null),
                ValueRef::Integer(value) => Ok(Value::Int(value)),
                ValueRef::Real(_) => Ok(Value::Real),
                ValueRef::Text(bytes) => std::str::from_utf8(bytes)
                    .map(Value::Text)
                    .map_err(|_| Error::Corrupt(format!("column {i} is not valid UTF-8"))),
                ValueRef::Blob(bytes) => Ok(Value::Bytes(bytes)),
            },
            Source::Postgres(row) => row.try_get(i).map_err(|_| no_column(i)),
        }
    }
}

#[cold]
fn null(i: usize) -> Error {
    Error::Corrupt(format!("column {i} is null"))
}

#[cold]
fn no_column(i: usize) -> Error {
    Error::Misuse(format!("there is no column {i} that can be read"))
}

#[cold]
fn kind(i: usize, wanted: &str, found: &Value<'_>) -> Error {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Int(_) => "an integer",
        Value::Text(_) => "a text",
        Value::Id(_) => "an id",
        Value::Bytes(_) => "bytes",
        Value::Real => "a float",
    };
    Error::Corrupt(format!("column {i} is not {wanted} but {found}"))
}
