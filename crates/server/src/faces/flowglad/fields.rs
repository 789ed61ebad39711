//! Reading a JSON body field by field, so that every failure names the field and what would be right.
//!
//! Fields that are not known are passed over: published clients send some that these books do not
//! have. Where null is meant, the word `"null"` is taken too, because the clients' types say so.

use super::error::Error;
use super::spell::{self, Spelled};
use billing::currency::Currency;
use billing::timestamp::Timestamp;
use http::{HeaderMap, header};
use serde_json::{Map, Value};

/// The longest name.
pub(super) const NAME_MAX: usize = 255;
/// The longest address in the web.
pub(super) const URL_MAX: usize = 2_048;
/// The longest text.
pub(super) const TEXT_MAX: usize = 5_000;
/// The longest JSON that is kept for the merchant.
const METADATA_MAX: usize = 16_384;

/// The fields of an object, with the path that leads to it.
pub(super) struct Fields<'v> {
    map: &'v Map<String, Value>,
    path: String,
}

/// The object that a body is.
pub(super) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Value, Error> {
    if let Some(kind) = headers.get(header::CONTENT_TYPE) {
        let kind = kind.to_str().unwrap_or("").split(';').next().unwrap_or("").trim();
        let is_json =
            kind.eq_ignore_ascii_case("application/json") || kind.to_ascii_lowercase().ends_with("+json");
        if !is_json && !body.is_empty() {
            return Err(Error::must_be("Content-Type", "application/json"));
        }
    }
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    match serde_json::from_slice(body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(Error::bad_request("The request body must be a JSON object.")),
        Err(error) => Err(Error::bad_request(format!("Invalid JSON in request body: {error}"))),
    }
}

impl<'v> Fields<'v> {
    /// The fields of a body.
    pub(super) fn of(body: &'v Value) -> Result<Self, Error> {
        match body {
            Value::Object(map) => Ok(Self { map, path: String::new() }),
            _ => Err(Error::bad_request("The request body must be a JSON object.")),
        }
    }

    /// A field's name with the path that leads to it.
    pub(super) fn name(&self, field: &str) -> String {
        if self.path.is_empty() { field.to_owned() } else { format!("{}.{field}", self.path) }
    }

    /// The failure of a field.
    pub(super) fn wrong(&self, field: &str, wanted: impl std::fmt::Display) -> Error {
        Error::must_be(self.name(field), wanted)
    }

    /// The failure of a field that is not there.
    pub(super) fn missing(&self, field: &str, wanted: &str) -> Error {
        Error::bad_request(format!("{} is required: {wanted}", self.name(field)))
    }

    /// Whether a field is there, null or not.
    pub(super) fn has(&self, field: &str) -> bool {
        self.map.contains_key(field)
    }

    /// A field that is there and not null.
    fn some(&self, field: &str) -> Option<&'v Value> {
        self.map.get(field).filter(|value| !is_null(value))
    }

    /// What `read` makes of a field that must be there.
    pub(super) fn required<T>(
        &self,
        field: &str,
        wanted: &str,
        read: impl FnOnce(&Self, &str) -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        read(self, field)?.ok_or_else(|| self.missing(field, wanted))
    }

    /// What `read` makes of a field that may be left out, but not null.
    pub(super) fn edit<T>(
        &self,
        field: &str,
        wanted: &str,
        read: impl FnOnce(&Self, &str) -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, Error> {
        match read(self, field)? {
            None if self.has(field) => Err(self.wrong(field, format!("{wanted}, not null"))),
            value => Ok(value),
        }
    }

    /// What `read` makes of a field that may be left out, or be null to take the value away.
    pub(super) fn nullable<T>(
        &self,
        field: &str,
        read: impl FnOnce(&Self, &str) -> Result<Option<T>, Error>,
    ) -> Result<Option<Option<T>>, Error> {
        let value = read(self, field)?;
        Ok(if self.has(field) { Some(value) } else { None })
    }

    /// An object.
    pub(super) fn object(&self, field: &str) -> Result<Option<Fields<'v>>, Error> {
        match self.some(field) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Fields { map, path: self.name(field) })),
            Some(_) => Err(self.wrong(field, "an object")),
        }
    }

    /// The objects of an array.
    pub(super) fn objects(&self, field: &str, most: usize) -> Result<Option<Vec<Fields<'v>>>, Error> {
        let items = match self.some(field) {
            None => return Ok(None),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(self.wrong(field, "an array")),
        };
        if items.len() > most {
            return Err(self.wrong(field, format!("an array of at most {most} elements")));
        }
        let mut all = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let Value::Object(map) = item else {
                return Err(self.wrong(&format!("{field}[{at}]"), "an object"));
            };
            all.push(Fields { map, path: format!("{}[{at}]", self.name(field)) });
        }
        Ok(Some(all))
    }

    /// A text of at most so many characters, without NUL.
    pub(super) fn text(&self, field: &str, most: usize) -> Result<Option<String>, Error> {
        // The word "null" is a text here.
        match self.map.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.chars().count() > most => {
                Err(self.wrong(field, format!("a text of at most {most} characters")))
            }
            Some(Value::String(text)) if text.contains('\0') => {
                Err(self.wrong(field, "a text without NUL characters"))
            }
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.wrong(field, "a text")),
        }
    }

    /// A name.
    pub(super) fn short(&self, field: &str) -> Result<Option<String>, Error> {
        self.text(field, NAME_MAX)
    }

    /// An address in the web.
    pub(super) fn url(&self, field: &str) -> Result<Option<String>, Error> {
        let text = self.text(field, URL_MAX)?;
        let is_url = |text: &str| {
            let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
            rest.is_some_and(|rest| !rest.is_empty())
                && text.chars().all(|c| !c.is_whitespace() && !c.is_control() && !"<>\"".contains(c))
        };
        match text {
            Some(text) if !is_url(&text) => {
                Err(self.wrong(field, "a URL that starts with https:// or http://"))
            }
            text => Ok(text),
        }
    }

    /// Yes or no.
    pub(super) fn flag(&self, field: &str) -> Result<Option<bool>, Error> {
        match self.some(field) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(_) => Err(self.wrong(field, "true or false")),
        }
    }

    /// A whole number.
    pub(super) fn int(&self, field: &str) -> Result<Option<i64>, Error> {
        match self.some(field) {
            None => Ok(None),
            Some(Value::Number(number)) => match number.as_i64() {
                Some(number) => Ok(Some(number)),
                None => Err(self.wrong(field, "a whole number without decimals, of at most 19 digits")),
            },
            Some(_) => Err(self.wrong(field, "a whole number")),
        }
    }

    /// A whole number in a range.
    pub(super) fn int_in(&self, field: &str, least: i64, most: i64) -> Result<Option<i64>, Error> {
        match self.int(field)? {
            Some(number) if number < least || number > most => {
                Err(self.wrong(field, format!("a whole number from {least} to {most}")))
            }
            number => Ok(number),
        }
    }

    /// An instant: ISO 8601, or milliseconds since 1970.
    pub(super) fn time(&self, field: &str) -> Result<Option<Timestamp>, Error> {
        const WANTED: &str = "a time such as 2023-11-07T05:31:56Z, or milliseconds since 1970";
        // The years 1900 to 2999: beyond them lie only mistakes, such as seconds for milliseconds.
        let sound = |at: Timestamp| (-2_208_988_800..32_503_680_000).contains(&at.seconds());
        let at = match self.some(field) {
            None => return Ok(None),
            Some(Value::String(text)) => Timestamp::parse(text).ok(),
            Some(Value::Number(number)) => {
                number.as_i64().and_then(|millis| Timestamp::try_from_millis(millis).ok())
            }
            Some(_) => None,
        };
        at.filter(|at| sound(*at)).map(Some).ok_or_else(|| self.wrong(field, WANTED))
    }

    /// An id.
    pub(super) fn id<T: Spelled>(&self, field: &str) -> Result<Option<T>, Error> {
        match self.some(field) {
            None => Ok(None),
            Some(Value::String(text)) => match spell::parse(text) {
                Some(id) => Ok(Some(id)),
                None => Err(self.wrong(field, format!("the id of a {}: {}_…", T::NAME, T::PREFIX))),
            },
            Some(_) => Err(self.wrong(field, format!("the id of a {}: {}_…", T::NAME, T::PREFIX))),
        }
    }

    /// A currency.
    pub(super) fn currency(&self, field: &str) -> Result<Option<Currency>, Error> {
        match self.text(field, 8)? {
            None => Ok(None),
            Some(code) => match Currency::parse(&code) {
                Ok(currency) => Ok(Some(currency)),
                Err(_) => Err(self.wrong(field, "an ISO 4217 currency code, such as USD")),
            },
        }
    }

    /// One of a closed set of words.
    pub(super) fn word<T>(
        &self,
        field: &str,
        wanted: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        match self.some(field) {
            None => Ok(None),
            Some(Value::String(word)) => {
                parse(word).map(Some).ok_or_else(|| self.wrong(field, format!("one of {wanted}")))
            }
            Some(_) => Err(self.wrong(field, format!("one of {wanted}"))),
        }
    }

    /// The merchant's own data: an object, kept as JSON text.
    pub(super) fn metadata(&self, field: &str) -> Result<Option<String>, Error> {
        let text = match self.some(field) {
            None => return Ok(None),
            Some(value @ Value::Object(_)) => value.to_string(),
            Some(_) => return Err(self.wrong(field, "an object")),
        };
        if text.len() > METADATA_MAX || text.contains("\\u0000") {
            return Err(self.wrong(field, "an object of at most 16 KB without NUL characters"));
        }
        Ok(Some(text))
    }
}

fn is_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text == "null",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_whole_and_fit() {
        let body = json!({"a": 5, "b": 5.0, "c": "5", "d": 9_223_372_036_854_775_807_i64,
            "e": 9_223_372_036_854_775_808_u64, "f": null, "g": "null", "h": -1, "i": 1e2});
        let fields = Fields::of(&body).unwrap();
        let read = |name: &str| fields.int(name).ok().flatten();
        assert_eq!((read("a"), read("d"), read("h")), (Some(5), Some(i64::MAX), Some(-1)));
        for wrong in ["b", "c", "e", "i"] {
            assert!(fields.int(wrong).is_err(), "{wrong}");
        }
        for none in ["f", "g", "z"] {
            assert!(matches!(fields.int(none), Ok(None)), "{none}");
        }
    }

    #[test]
    fn times_are_instants_of_our_millennium() {
        let body = json!({"a": "2023-11-07T05:31:56Z", "b": 1_699_335_116_000_i64, "c": "yesterday",
            "d": 1e30, "e": "9000-01-01", "f": -9_000_000_000_000_000_i64});
        let fields = Fields::of(&body).unwrap();
        assert_eq!(fields.time("a").unwrap(), fields.time("b").unwrap());
        for wrong in ["c", "d", "e", "f"] {
            assert!(fields.time(wrong).is_err(), "{wrong}");
        }
    }
}
