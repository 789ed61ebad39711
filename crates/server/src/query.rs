//! Query strings: pairs in the order in which they came, decoded leniently.

use percent_encoding::percent_decode;
use std::borrow::Cow;

/// The pairs of a query string. What is not UTF-8 once decoded holds U+FFFD, which no value means.
#[derive(Debug)]
pub struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    /// Reads `a=1&b[]=2`: names and values may be percent-encoded, `+` is a space.
    pub fn parse(query: Option<&'a str>) -> Self {
        let pairs = query.unwrap_or("").split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    /// The last value of a name: of those that are repeated it counts.
    pub fn last(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(found, _)| found == name).map(|(_, value)| value.as_ref())
    }

    /// All values of a name.
    pub fn all<'q>(&'q self, name: &'q str) -> impl Iterator<Item = &'q str> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_ref())
    }

    /// The only value of a name.
    ///
    /// # Errors
    /// If it is repeated.
    pub fn only(&self, name: &str) -> Result<Option<&str>, Repeated> {
        let mut values = self.0.iter().filter(|(found, _)| found == name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Repeated),
            (first, None) => Ok(first.map(|(_, value)| value.as_ref())),
        }
    }
}

/// A parameter that may be given once was given more often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeated;

/// A part of a query string or of a path, decoded.
pub fn decode(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        return Cow::Owned(percent_decode(spaced.as_bytes()).decode_utf8_lossy().into_owned());
    }
    percent_decode(text.as_bytes()).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_may_be_encoded_and_names_repeated() {
        let query = Query::parse(Some("ids[]=a&ids%5B%5D=b&&page=1&page=2&flag&x=a%20b+c&bad=%ff%zz"));
        assert_eq!(query.all("ids[]").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(query.last("page"), Some("2"));
        assert_eq!(query.only("page"), Err(Repeated));
        assert_eq!(query.only("flag"), Ok(Some("")));
        assert_eq!(query.last("x"), Some("a b c"));
        assert_eq!(query.last("bad"), Some("\u{fffd}%zz"));
        assert_eq!(query.last("none"), None);
    }
}
