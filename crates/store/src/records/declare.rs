//! What a declaration of a table says, and the macro that reads it.

use super::sql::Sql;
use crate::value::{Param, Row};
use crate::{Error, Scope};

/// What holds for all rows of a table.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: &'static str,
    /// Writes a new row.
    pub(crate) insert: &'static str,
    /// Writes what may change of a row; empty where nothing may.
    pub(crate) update: &'static str,
    /// Takes a row away.
    pub(crate) delete: &'static str,
    /// How many parameters [`Table::insert`] takes.
    pub(crate) width: usize,
    /// How many parameters [`Table::update`] takes.
    pub(crate) update_width: usize,
    /// How many parameters [`Table::delete`] takes.
    pub(crate) key_width: usize,
    /// Whether its rows belong to customers, and so to their shards.
    pub(crate) is_of_customers: bool,
    /// Which of them is the number that the commit gives, if it gives one from 1.
    pub(crate) number: Option<usize>,
    /// How its rows are counted, environment by environment.
    pub(crate) tallied: Option<Tallied>,
}

/// How the rows of a table are counted.
#[derive(Debug)]
pub(crate) struct Tallied {
    /// The rows of an environment after an id, in the order of their ids, so many.
    pub(crate) page: &'static str,
    /// Counts the rows of an environment.
    pub(crate) count: &'static str,
    /// Counts those that are numbered, their different numbers, and tells the last one; none where the
    /// commit gives no numbers from 1.
    pub(crate) numbers: Option<&'static str>,
}

/// A row that can be written.
pub(crate) trait Record: Sync {
    /// Its table.
    fn table(&self) -> &'static Table;

    /// The environment whose lists it is in; none where the row does not say.
    fn environment(&self) -> Option<i64>;

    /// Whether the tally of its table counts it.
    fn is_counted(&self) -> bool;

    /// What answers depend on that were rendered from it, beside the customers that were decided on and the
    /// lists of its environment.
    fn touched(&self) -> Option<Scope>;

    /// Adds the parameters of [`Table::insert`].
    fn write<'a>(&'a self, to: &mut Vec<Param<'a>>);

    /// Adds the parameters of [`Table::update`].
    fn write_changes<'a>(&'a self, to: &mut Vec<Param<'a>>);

    /// Adds the parameters of [`Table::delete`].
    fn write_key<'a>(&'a self, to: &mut Vec<Param<'a>>);
}

/// A row that can be read.
pub(crate) trait Read: Sized {
    /// Its table.
    const TABLE: &'static Table;

    /// Takes the columns of its select list.
    ///
    /// # Errors
    /// If they are others, or a value means nothing.
    fn read(row: &Row<'_>) -> Result<Self, Error>;
}

impl Row<'_> {
    /// Takes the columns of a record.
    ///
    /// # Errors
    /// If they are others, or a value means nothing.
    pub(crate) fn record<T: Read>(&self) -> Result<T, Error> {
        T::read(self)
    }
}

/// The text of a statement that is kept as long as the program runs.
pub(super) const fn text(sql: &'static Sql) -> &'static str {
    sql.as_str()
}

/// The columns of a field: those that are named, else one of its own name.
macro_rules! columns_of {
    ($field:ident) => {
        &[stringify!($field)]
    };
    ($field:ident $($column:ident)+) => {
        &[$(stringify!($column)),+]
    };
}

/// The columns of a field in a select list.
macro_rules! selected {
    ($t:literal, $field:ident) => {
        concat!($t, ".", stringify!($field))
    };
    ($t:literal, $field:ident $first:ident $($column:ident)*) => {
        concat!($t, ".", stringify!($first) $(, ", ", $t, ".", stringify!($column))*)
    };
}

/// The column that a row of a customer has beside its own: the shard that its id carries.
macro_rules! shard_column {
    ($id:ident) => {
        &["shard"]
    };
}

/// Whether a row is counted: always, unless the declaration says when.
macro_rules! is_counted {
    ($row:expr;) => {
        true
    };
    ($row:expr; $is_counted:expr) => {{
        let counted: fn(&Self) -> bool = $is_counted;
        counted($row)
    }};
}

/// What a change of a row touches beside its customer and its environment's lists.
macro_rules! touched {
    ($row:ident) => {
        None
    };
    ($row:ident catalog) => {
        Record::environment($row).map($crate::Scope::Catalog)
    };
    ($row:ident credentials) => {
        Some($crate::Scope::Credentials)
    };
    ($row:ident customer) => {
        Some($crate::Scope::Customer(billing::id::Id::raw($row.id)))
    };
}

/// How rows are counted, if they are.
macro_rules! tallied {
    ($table:ident, $columns:ident;) => {
        None
    };
    ($table:ident, $columns:ident; $tally:ident; $($condition:literal)?) => {
        Some($crate::records::Tallied {
            page: concat!(
                "select ", $columns!("t"), " from ", stringify!($table),
                " t where t.environment = $1 and t.id > $2" $(, " and ", $condition)?, " order by t.id limit $3"
            ),
            count: concat!(
                "select count(*) from ", stringify!($table), " where environment = $1" $(, " and ", $condition)?
            ),
            numbers: numbers!($table $tally),
        })
    };
}

/// The place of the number that the commit gives.
macro_rules! numbered {
    ($(rows)?; $all:expr) => {
        None
    };
    (numbered; $all:expr) => {
        match position($all, "number") {
            Some(at) => Some(at),
            None => panic!("what is numbered has a column `number`"),
        }
    };
}

/// The question about the numbers of rows that the commit numbers from 1.
macro_rules! numbers {
    ($table:ident rows) => {
        None
    };
    ($table:ident numbered) => {
        Some(concat!(
            "select count(*) as n, count(distinct number) as different, coalesce(max(number), 0) as last from ",
            stringify!($table),
            " where environment = $1 and number > 0"
        ))
    };
}

/// Declares a table; see the module's head. The first token is a dollar sign, for the macro that it
/// makes: `$columns!("t")` is the select list of the table under the name `t`.
///
/// ```text
/// record! { ($)
///     refunds: Refund, refund_columns;          // table, type of its rows, name of its select list
///     environment |row| Some(row.environment);  // whose lists it is in
///     shard id;                                 // for rows of customers: the id that carries the shard
///     touches catalog;                          // what rendered answers depend on: or credentials, customer
///     tally rows;                               // counted; or `numbered`: the commit fills `number`
///     key { id: Id }                            // what finds a row
///     once { amount: Int, period: Span = (period_start, period_end) }
///     mutable { status: Word }                  // what may change
/// }
/// ```
macro_rules! record {
    (
        ($d:tt)
        $table:ident: $row:ty, $columns:ident;
        environment $environment:expr;
        $(shard $shard:ident;)?
        $(touches $touched:ident;)?
        $(tally $tally:ident $(where $condition:literal = $is_counted:expr)?;)?
        key { $key:ident: $key_codec:ty $(, $keys:ident: $keys_codec:ty)* $(,)? }
        once { $($once:ident: $once_codec:ty $(= ($($once_column:ident),+))?),* $(,)? }
        mutable { $($mutable:ident: $mutable_codec:ty $(= ($($mutable_column:ident),+))?),* $(,)? }
        $(besides { $($besides:ident: $made:expr),+ })?
    ) => {
        // Some tables are written only.
        #[allow(unused_macros)]
        macro_rules! $columns {
            ($d t:literal) => {
                concat!(
                    selected!($d t, $key)
                    $(, ", ", selected!($d t, $keys))*
                    $(, ", ", selected!($d t, $once $($($once_column)+)?))*
                    $(, ", ", selected!($d t, $mutable $($($mutable_column)+)?))*
                )
            };
        }

        const _: () = {
            use $crate::records::codecs::*;
            use $crate::records::declare::text;
            use $crate::records::sql::{Fields, Sql, position, width};
            use $crate::records::{Read, Record, Table};

            const KEY: Fields = &[
                $(shard_column!($shard),)?
                columns_of!($key) $(, columns_of!($keys))*
            ];
            const ALL: Fields = &[
                $(shard_column!($shard),)?
                columns_of!($key) $(, columns_of!($keys))*
                $(, columns_of!($once $($($once_column)+)?))*
                $(, columns_of!($mutable $($($mutable_column)+)?))*
            ];
            const MUTABLE: Fields = &[$(columns_of!($mutable $($($mutable_column)+)?)),*];
            static TABLE: Table = Table {
                name: stringify!($table),
                insert: text(&const { Sql::insert(stringify!($table), ALL) }),
                update: text(&const { Sql::update(stringify!($table), KEY, MUTABLE) }),
                delete: text(&const { Sql::delete(stringify!($table), KEY) }),
                width: width(ALL),
                update_width: width(KEY) + width(MUTABLE),
                key_width: width(KEY),
                is_of_customers: position(KEY, "shard").is_some(),
                number: numbered!($($tally)?; ALL),
                tallied: tallied!($table, $columns; $($tally; $($condition)?)?),
            };

            impl Record for $row {
                fn table(&self) -> &'static Table {
                    &TABLE
                }

                fn environment(&self) -> Option<i64> {
                    let of: fn(&Self) -> Option<i64> = $environment;
                    of(self)
                }

                fn is_counted(&self) -> bool {
                    is_counted!(self; $($($is_counted)?)?)
                }

                fn touched(&self) -> Option<$crate::Scope> {
                    touched!(self $($touched)?)
                }

                fn write<'a>(&'a self, to: &mut Vec<Param<'a>>) {
                    self.write_key(to);
                    $(<$once_codec as Codec<_>>::write(&self.$once, to);)*
                    $(<$mutable_codec as Codec<_>>::write(&self.$mutable, to);)*
                }

                fn write_changes<'a>(&'a self, to: &mut Vec<Param<'a>>) {
                    self.write_key(to);
                    $(<$mutable_codec as Codec<_>>::write(&self.$mutable, to);)*
                }

                fn write_key<'a>(&'a self, to: &mut Vec<Param<'a>>) {
                    $(to.push(billing::id::Id::shard(self.$shard).into());)?
                    <$key_codec as Codec<_>>::write(&self.$key, to);
                    $(<$keys_codec as Codec<_>>::write(&self.$keys, to);)*
                }
            }

            impl Read for $row {
                const TABLE: &'static Table = &TABLE;

                fn read(row: &Row<'_>) -> Result<Self, Error> {
                    Ok(Self {
                        $key: <$key_codec as Codec<_>>::read(row, columns_of!($key))?,
                        $($keys: <$keys_codec as Codec<_>>::read(row, columns_of!($keys))?,)*
                        $($once: <$once_codec as Codec<_>>::read(
                            row, columns_of!($once $($($once_column)+)?))?,)*
                        $($mutable: <$mutable_codec as Codec<_>>::read(
                            row, columns_of!($mutable $($($mutable_column)+)?))?,)*
                        $($($besides: $made,)+)?
                    })
                }
            }
        };
    };
}
