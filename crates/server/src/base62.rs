//! Whole numbers in base 62: digits, then upper case, then lower case, so that texts sort as numbers do.

/// The 62 digits in their order.
pub const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// How many digits 128 bits have.
pub const LENGTH: usize = 22;
/// 62 to the power of 10: the largest whose square-sized quotients still fit.
const CHUNK: u128 = 62_u128.pow(10);

/// Appends the 22 digits of a number.
pub fn push(out: &mut String, number: u128) {
    let mut text = [b'0'; LENGTH];
    // Two divisions of 128 bits, then the digits in 64: the others would cost twenty of the first kind.
    let (high, low) = (number / CHUNK, number % CHUNK);
    let (top, middle) = (high / CHUNK, high % CHUNK);
    for (part, end) in [(low, 22), (middle, 12), (top, 2)] {
        let mut part = part as u64;
        let mut at = end;
        while part > 0 && at > 0 {
            at -= 1;
            text[at] = DIGITS[(part % 62) as usize];
            part /= 62;
        }
    }
    out.push_str(std::str::from_utf8(&text).unwrap_or(""));
}

/// The number that 22 digits spell; none if they spell none of 128 bits.
pub fn parse(text: &str) -> Option<u128> {
    if text.len() != LENGTH {
        return None;
    }
    text.bytes().try_fold(0_u128, |number, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A' + 10,
            b'a'..=b'z' => byte - b'a' + 36,
            _ => return None,
        };
        number.checked_mul(62)?.checked_add(u128::from(digit))
    })
}
