//! API keys: `qk_live_` or `qk_test_` and 28 characters of base62 (166 bits), kept as their HMAC only.

use crate::base62::DIGITS;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const LENGTH: usize = 28;

/// The start of every API key.
pub const PREFIX: &str = "qk_";

/// A new key.
pub fn make(livemode: bool, entropy: &dyn Fn(&mut [u8])) -> String {
    let mut key = String::from(if livemode { "qk_live_" } else { "qk_test_" });
    let wanted = key.len() + LENGTH;
    let mut bytes = [0_u8; 64];
    while key.len() < wanted {
        entropy(&mut bytes);
        // 248 is the largest multiple of 62 in a byte: above it the first letters would come too often.
        let letters = bytes.iter().filter(|byte| **byte < 248).map(|byte| DIGITS[usize::from(*byte % 62)]);
        key.extend(letters.take(wanted - key.len()).map(char::from));
    }
    key
}

/// What people may see of a key, to tell it from others.
pub fn hint(key: &str) -> String {
    key.chars().take(12).collect()
}

/// What the books keep of a key.
pub fn hash(pepper: &[u8], key: &str) -> [u8; 32] {
    hmac(pepper, key.as_bytes()).finalize().into_bytes().into()
}

pub(super) fn hmac(key: &[u8], text: &[u8]) -> Hmac<Sha256> {
    // HMAC takes a key of any length, so this cannot fail.
    #[allow(clippy::expect_used)]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn keys_are_long_enough_and_differ() {
        let next = Cell::new(1_u32);
        let entropy = |bytes: &mut [u8]| {
            for byte in bytes {
                next.set(next.get().wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
                *byte = (next.get() >> 24) as u8;
            }
        };
        let (one, two) = (make(true, &entropy), make(false, &entropy));
        assert!(one.starts_with("qk_live_") && two.starts_with("qk_test_"));
        assert_eq!(one.len(), "qk_live_".len() + LENGTH);
        assert_ne!(one[8..], two[8..]);
        assert!(one[8..].bytes().all(|byte| DIGITS.contains(&byte)));
        assert_ne!(hash(b"pepper", &one), hash(b"salt", &one));
    }
}
