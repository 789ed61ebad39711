//! A small JSON writer: exact key order, exact spelling of numbers, no tree in between.

use std::fmt::{Display, Write};

/// Text that is JSON already: a number spelled as a contract wants it, or a value from the books.
#[derive(Debug, Clone, Copy)]
pub struct Raw<'a>(pub &'a str);

/// A value that knows its JSON.
pub trait ToJson {
    /// Appends it.
    fn write(&self, out: &mut String);
}

/// The text of an object.
pub fn object(fill: impl FnOnce(&mut Object<'_>)) -> String {
    let mut out = String::with_capacity(8 << 10);
    fill_object(&mut out, fill);
    out
}

/// An object that is being written.
pub struct Object<'a> {
    out: &'a mut String,
    is_empty: bool,
}

impl Object<'_> {
    /// A member. The key is one of ours: it needs no escape.
    pub fn put(&mut self, key: &'static str, value: impl ToJson) -> &mut Self {
        self.key(key);
        value.write(self.out);
        self
    }

    /// A member that is spelled by `Display`, without quotes: a number.
    pub fn number(&mut self, key: &'static str, value: impl Display) -> &mut Self {
        self.key(key);
        // Writing to a String cannot fail.
        let _infallible = write!(self.out, "{value}");
        self
    }

    /// A member that is an object.
    pub fn object(&mut self, key: &'static str, fill: impl FnOnce(&mut Object<'_>)) -> &mut Self {
        self.key(key);
        fill_object(self.out, fill);
        self
    }

    /// A member that is an array.
    pub fn array(&mut self, key: &'static str, fill: impl FnOnce(&mut Array<'_>)) -> &mut Self {
        self.key(key);
        fill_array(self.out, fill);
        self
    }

    fn key(&mut self, key: &'static str) {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(',');
        }
        self.out.push('"');
        self.out.push_str(key);
        self.out.push_str("\":");
    }
}

/// An array that is being written.
pub struct Array<'a> {
    out: &'a mut String,
    is_empty: bool,
}

impl Array<'_> {
    /// An element.
    pub fn put(&mut self, value: impl ToJson) -> &mut Self {
        self.comma();
        value.write(self.out);
        self
    }

    /// An element that is an object.
    pub fn object(&mut self, fill: impl FnOnce(&mut Object<'_>)) -> &mut Self {
        self.comma();
        fill_object(self.out, fill);
        self
    }

    fn comma(&mut self) {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(',');
        }
    }
}

fn fill_object(out: &mut String, fill: impl FnOnce(&mut Object<'_>)) {
    out.push('{');
    fill(&mut Object { out, is_empty: true });
    out.push('}');
}

fn fill_array(out: &mut String, fill: impl FnOnce(&mut Array<'_>)) {
    out.push('[');
    fill(&mut Array { out, is_empty: true });
    out.push(']');
}

impl<T: ToJson + ?Sized> ToJson for &T {
    fn write(&self, out: &mut String) {
        (*self).write(out);
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn write(&self, out: &mut String) {
        match self {
            Some(value) => value.write(out),
            None => out.push_str("null"),
        }
    }
}

impl ToJson for Raw<'_> {
    fn write(&self, out: &mut String) {
        out.push_str(self.0);
    }
}

impl ToJson for bool {
    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
}

impl ToJson for i64 {
    fn write(&self, out: &mut String) {
        // Numbers are a good part of every answer, and the formatter's way is three times as long.
        let mut digits = [0; 20];
        let mut at = digits.len();
        let mut left = self.unsigned_abs();
        loop {
            at -= 1;
            digits[at] = b'0' + (left % 10) as u8;
            left /= 10;
            if left == 0 {
                break;
            }
        }
        if *self < 0 {
            out.push('-');
        }
        out.push_str(std::str::from_utf8(&digits[at..]).unwrap_or(""));
    }
}

impl ToJson for crate::spelling::Uuid {
    fn write(&self, out: &mut String) {
        out.push('"');
        out.push_str(std::str::from_utf8(&self.text()).unwrap_or(""));
        out.push('"');
    }
}

impl ToJson for String {
    fn write(&self, out: &mut String) {
        self.as_str().write(out);
    }
}

impl ToJson for std::borrow::Cow<'_, str> {
    fn write(&self, out: &mut String) {
        self.as_ref().write(out);
    }
}

impl ToJson for str {
    fn write(&self, out: &mut String) {
        out.push('"');
        let mut written = 0;
        for (at, byte) in self.bytes().enumerate() {
            let short = match byte {
                b'"' => "\\\"",
                b'\\' => "\\\\",
                b'\n' => "\\n",
                b'\r' => "\\r",
                b'\t' => "\\t",
                0..=0x1f => "",
                _ => continue,
            };
            out.push_str(&self[written..at]);
            if short.is_empty() {
                let _infallible = write!(out, "\\u{byte:04x}");
            } else {
                out.push_str(short);
            }
            written = at + 1;
        }
        out.push_str(&self[written..]);
        out.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_their_order_and_numbers_their_spelling() {
        let text = object(|o| {
            o.put("b", 1_i64).put("a", Raw("100.00")).put("none", None::<&str>).put("yes", true);
            o.number("n", -5).object("empty", |_| {});
            o.array("list", |list| {
                list.put("x").object(|o| {
                    o.put("y", Some("z"));
                });
            });
        });
        let wanted = r#"{"b":1,"a":100.00,"none":null,"yes":true,"n":-5,"empty":{},"list":["x",{"y":"z"}]}"#;
        assert_eq!(text, wanted);
    }

    #[test]
    fn every_whole_number_is_spelled_as_the_formatter_spells_it() {
        for number in [0, 7, -7, 10, 99, -100, 1_234_567_890, i64::MAX, i64::MIN] {
            let mut out = String::new();
            number.write(&mut out);
            assert_eq!(out, number.to_string());
        }
    }

    #[test]
    fn every_text_comes_back_from_a_parser() {
        let mut text: String = (0_u32..0x300).filter_map(char::from_u32).collect();
        text.push_str("\u{2028}\u{2029}\u{fffd}😀\"\\");
        let written = object(|o| {
            o.put("text", &text);
        });
        let read: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert_eq!(read["text"], serde_json::Value::String(text));
    }
}
