//! Values in PostgreSQL's binary form.

use crate::value::{Param, Value};
use bytes::{BufMut, BytesMut};
use std::error::Error as StdError;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

type Failed = Box<dyn StdError + Sync + Send>;

/// One parameter of a statement, written as the statement wants it.
#[derive(Debug)]
pub(super) struct Bound<'a>(pub(super) &'a Param<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self, wanted: &Type, out: &mut BytesMut) -> Result<IsNull, Failed> {
        Ok(if write(self.0, wanted, out)? { IsNull::No } else { IsNull::Yes })
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A parameter that has been written already.
#[derive(Debug, PartialEq)]
pub(super) struct Written(Option<BytesMut>);

impl Written {
    /// One value.
    pub(super) fn value(param: &Param<'_>, wanted: &Type) -> Result<Written, Failed> {
        let mut out = BytesMut::new();
        Ok(Written(write(param, wanted, &mut out)?.then_some(out)))
    }
}

impl ToSql for Written {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Failed> {
        match &self.0 {
            Some(bytes) => {
                out.extend_from_slice(bytes);
                Ok(IsNull::No)
            }
            None => Ok(IsNull::Yes),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// An array of values of one type, as it grows.
pub(super) struct Array {
    element: Type,
    count: i32,
    has_null: bool,
    elements: BytesMut,
}

impl Array {
    pub(super) fn of(element: Type) -> Array {
        Array { element, count: 0, has_null: false, elements: BytesMut::new() }
    }

    pub(super) fn push(&mut self, param: &Param<'_>) -> Result<(), Failed> {
        let at = self.elements.len();
        self.elements.put_i32(-1);
        if write(param, &self.element, &mut self.elements)? {
            let length = i32::try_from(self.elements.len() - at - 4)?;
            self.elements[at..at + 4].copy_from_slice(&length.to_be_bytes());
        } else {
            self.has_null = true;
        }
        self.count += 1;
        Ok(())
    }

    pub(super) fn written(self) -> Written {
        let mut out = BytesMut::with_capacity(20 + self.elements.len());
        // One dimension, whether there are nulls, the type; then the length, counted from 1.
        out.put_i32(1);
        out.put_i32(i32::from(self.has_null));
        out.put_u32(self.element.oid());
        out.put_i32(self.count);
        out.put_i32(1);
        out.extend_from_slice(&self.elements);
        Written(Some(out))
    }
}

/// The type of arrays of a type; none for types that the books do not use.
pub(super) fn array_of(element: &Type) -> Option<Type> {
    Some(match *element {
        Type::BOOL => Type::BOOL_ARRAY,
        Type::INT2 => Type::INT2_ARRAY,
        Type::INT4 => Type::INT4_ARRAY,
        Type::INT8 => Type::INT8_ARRAY,
        Type::TEXT => Type::TEXT_ARRAY,
        Type::UUID => Type::UUID_ARRAY,
        Type::BYTEA => Type::BYTEA_ARRAY,
        _ => return None,
    })
}

/// Writes a value; false for null. No message holds the value.
fn write(param: &Param<'_>, wanted: &Type, out: &mut BytesMut) -> Result<bool, Failed> {
    match (param, wanted.clone()) {
        (Param::Null, _) => return Ok(false),
        (Param::Bool(value), Type::BOOL) => out.put_u8((*value).into()),
        (Param::Int(value), Type::INT8) => out.put_i64(*value),
        (Param::Int(value), Type::INT4) => out.put_i32((*value).try_into()?),
        (Param::Int(value), Type::INT2) => out.put_i16((*value).try_into()?),
        (Param::Text(value), Type::TEXT | Type::VARCHAR) => out.extend_from_slice(value.as_bytes()),
        (Param::Id(value), Type::UUID) => out.put_u128(*value),
        (Param::Bytes(value), Type::BYTEA) => out.extend_from_slice(value),
        // What SQLite gives for a boolean, and for bytes that could be an id.
        (Param::Int(value @ (0 | 1)), Type::BOOL) => out.put_u8(u8::from(*value == 1)),
        (Param::Id(value), Type::BYTEA) => out.put_u128(*value),
        (param, wanted) => return Err(format!("{param:?} where {wanted} is wanted").into()),
    }
    Ok(true)
}

/// Adds a value to a key that is compared and goes nowhere else.
pub(super) fn append(param: &Param<'_>, key: &mut Vec<u8>) {
    let bytes = |key: &mut Vec<u8>, bytes: &[u8]| {
        key.extend_from_slice(&bytes.len().to_be_bytes());
        key.extend_from_slice(bytes);
    };
    match param {
        Param::Null => key.push(0),
        Param::Bool(value) => key.push(1 + u8::from(*value)),
        Param::Int(value) => key.extend_from_slice(&value.to_be_bytes()),
        Param::Text(value) => bytes(key, value.as_bytes()),
        Param::Id(value) => key.extend_from_slice(&value.to_be_bytes()),
        Param::Bytes(value) => bytes(key, value),
    }
}

impl<'r> FromSql<'r> for Value<'r> {
    fn from_sql(found: &Type, raw: &'r [u8]) -> Result<Value<'r>, Failed> {
        Ok(match *found {
            Type::BOOL => Value::Bool(raw != [0]),
            Type::INT2 => Value::Int(i16::from_be_bytes(raw.try_into()?).into()),
            Type::INT4 => Value::Int(i32::from_be_bytes(raw.try_into()?).into()),
            Type::INT8 => Value::Int(i64::from_be_bytes(raw.try_into()?)),
            Type::UUID => Value::Id(u128::from_be_bytes(raw.try_into()?)),
            Type::BYTEA => Value::Bytes(raw),
            _ => Value::Text(std::str::from_utf8(raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Value<'r>, Failed> {
        Ok(Value::Null)
    }

    fn accepts(found: &Type) -> bool {
        matches!(
            *found,
            Type::BOOL
                | Type::INT2
                | Type::INT4
                | Type::INT8
                | Type::UUID
                | Type::BYTEA
                | Type::TEXT
                | Type::VARCHAR
                | Type::NAME
        )
    }
}
