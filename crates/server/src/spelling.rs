//! How ids, times and sums of money are spelled, and read back.

use billing::calendar::Zone;
use billing::money::Money;
use billing::timestamp::Timestamp;
use std::fmt;

/// A raw id as a hyphenated UUID in lower case.
pub fn uuid(raw: u128) -> Uuid {
    Uuid(raw)
}

/// Displays as a hyphenated UUID in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uuid(u128);

impl Uuid {
    /// Its 36 characters.
    pub fn text(self) -> [u8; 36] {
        let mut text = [b'-'; 36];
        let mut at = 0;
        for byte in self.0.to_be_bytes() {
            if matches!(at, 8 | 13 | 18 | 23) {
                at += 1;
            }
            text[at] = HEX[usize::from(byte >> 4)];
            text[at + 1] = HEX[usize::from(byte & 0xf)];
            at += 2;
        }
        text
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or(""))
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The raw id of a hyphenated UUID in any case; none if it is not one.
pub fn parse_uuid(text: &str) -> Option<u128> {
    let bytes = text.as_bytes();
    if bytes.len() != 36 {
        return None;
    }
    let mut raw = 0_u128;
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 8 | 13 | 18 | 23) {
            if *byte != b'-' {
                return None;
            }
            continue;
        }
        raw = raw << 4 | u128::from(char::from(*byte).to_digit(16)?);
    }
    Some(raw)
}

/// The first 24 hex digits of a raw id. The generator keeps them unique.
pub fn hex24(raw: u128) -> String {
    format!("{:024x}", raw >> 32)
}

/// The first 96 bits of a raw id from 24 hex digits in any case; none if it is not that.
pub fn parse_hex24(text: &str) -> Option<u128> {
    let is_hex = text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex { u128::from_str_radix(text, 16).ok() } else { None }
}

/// `2025-01-15T10:30:00.000Z`.
pub fn iso_millis(at: Timestamp) -> String {
    let mut text = iso_seconds(at);
    let millis = at.millis().rem_euclid(1_000);
    text.truncate(text.len() - 1);
    text.push('.');
    push_digits(&mut text, millis, 3);
    text.push('Z');
    text
}

/// `2026-01-04T00:00:15.045893Z`; without decimals where they are zero.
pub fn iso_micros(at: Timestamp) -> String {
    let micros = at.micros().rem_euclid(1_000_000);
    let mut text = iso_seconds(at);
    if micros != 0 {
        text.truncate(text.len() - 1);
        text.push('.');
        push_digits(&mut text, micros, 6);
        text.push('Z');
    }
    text
}

fn iso_seconds(at: Timestamp) -> String {
    let whole = Timestamp::from_micros(at.micros() - at.micros().rem_euclid(1_000_000));
    whole.to_string()
}

fn push_digits(text: &mut String, number: i64, digits: u32) {
    for place in (0..digits).rev() {
        let digit = number / 10_i64.pow(place) % 10;
        text.push(char::from(b'0' + digit as u8));
    }
}

/// `2023-03-15T15:11:59+02:00` in a zone.
pub fn iso_offset(at: Timestamp, zone: &Zone) -> String {
    zone.format_offset_seconds(at)
}

/// Minor units of a currency with two decimals: `100.00`, `-0.05`.
pub fn two_decimals(minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let minor = minor.unsigned_abs();
    format!("{sign}{}.{:02}", minor / 100, minor % 100)
}

/// Money in major units with two decimals, or as many as its currency has if those are more.
pub fn at_least_two_decimals(money: Money) -> String {
    match money.currency().exponent() {
        0 => format!("{}.00", money.minor()),
        2 => two_decimals(money.minor()),
        _ => money.to_major_string(),
    }
}

/// Minor units of a currency with two decimals as a float is printed: `15.0`, `15.5`, `15.25`.
pub fn float_dollars(minor: i64) -> String {
    let mut text = two_decimals(minor);
    if text.ends_with('0') {
        text.pop();
    }
    text
}

/// Minor units of a currency with two decimals as a number: `15` where it is whole, else `9.99`.
pub fn plain_dollars(minor: i64) -> String {
    if minor % 100 == 0 { (minor / 100).to_string() } else { float_dollars(minor) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_back() {
        let raw = 0x1014_c5ec_fa05_4d63_8479_5412_a876_03f5;
        assert_eq!(uuid(raw).to_string(), "1014c5ec-fa05-4d63-8479-5412a87603f5");
        assert_eq!(parse_uuid("1014C5EC-fa05-4d63-8479-5412a87603f5"), Some(raw));
        for text in ["", "1014c5ecfa054d6384795412a87603f5", "1014c5ec-fa05-4d63-8479-5412a87603fg", "é"] {
            assert_eq!(parse_uuid(text), None, "{text}");
        }
        assert_eq!(parse_uuid("1014c5ec-fa05-4d63-8479-5412a87603+5"), None);
        assert_eq!(hex24(raw), "1014c5ecfa054d6384795412");
        assert_eq!(parse_hex24("1014c5ecfa054d6384795412"), Some(raw >> 32));
        assert_eq!(parse_hex24("+014c5ecfa054d6384795412"), None);
    }

    #[test]
    fn times_have_as_many_decimals_as_asked() {
        let at = Timestamp::parse("2026-01-04T00:00:15.045893Z").unwrap();
        assert_eq!(iso_micros(at), "2026-01-04T00:00:15.045893Z");
        assert_eq!(iso_millis(at), "2026-01-04T00:00:15.045Z");
        let whole = Timestamp::parse("2026-01-04T00:00:15Z").unwrap();
        assert_eq!(iso_micros(whole), "2026-01-04T00:00:15Z");
        assert_eq!(iso_millis(whole), "2026-01-04T00:00:15.000Z");
        assert_eq!(iso_millis(Timestamp::from_micros(-1)), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn money_has_the_spelling_of_its_contract() {
        for (minor, two, float, plain) in [
            (1500, "15.00", "15.0", "15"),
            (0, "0.00", "0.0", "0"),
            (1550, "15.50", "15.5", "15.5"),
            (999, "9.99", "9.99", "9.99"),
            (-5, "-0.05", "-0.05", "-0.05"),
            (7, "0.07", "0.07", "0.07"),
        ] {
            assert_eq!(
                (two_decimals(minor).as_str(), float_dollars(minor).as_str(), plain_dollars(minor).as_str()),
                (two, float, plain)
            );
        }
    }
}
