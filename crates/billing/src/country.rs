//! The countries of ISO 3166.
//!
//! Owns the list and the reading of codes in any case. Knows nothing of taxes or addresses, and no time. A
//! code is two upper-case letters from then on.

use crate::refusal::{Field, Refusal};

/// Alpha-2 codes in alphabetical order.
#[rustfmt::skip]
const CODES: &[&str] = &[
    "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW", "AX", "AZ", "BA", "BB",
    "BD", "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS", "BT", "BV", "BW", "BY",
    "BZ", "CA", "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN", "CO", "CR", "CU", "CV", "CW", "CX",
    "CY", "CZ", "DE", "DJ", "DK", "DM", "DO", "DZ", "EC", "EE", "EG", "EH", "ER", "ES", "ET", "FI", "FJ", "FK",
    "FM", "FO", "FR", "GA", "GB", "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM", "GN", "GP", "GQ", "GR", "GS",
    "GT", "GU", "GW", "GY", "HK", "HM", "HN", "HR", "HT", "HU", "ID", "IE", "IL", "IM", "IN", "IO", "IQ", "IR",
    "IS", "IT", "JE", "JM", "JO", "JP", "KE", "KG", "KH", "KI", "KM", "KN", "KP", "KR", "KW", "KY", "KZ", "LA",
    "LB", "LC", "LI", "LK", "LR", "LS", "LT", "LU", "LV", "LY", "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK",
    "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS", "MT", "MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NC", "NE",
    "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU", "NZ", "OM", "PA", "PE", "PF", "PG", "PH", "PK", "PL", "PM",
    "PN", "PR", "PS", "PT", "PW", "PY", "QA", "RE", "RO", "RS", "RU", "RW", "SA", "SB", "SC", "SD", "SE", "SG",
    "SH", "SI", "SJ", "SK", "SL", "SM", "SN", "SO", "SR", "SS", "ST", "SV", "SX", "SY", "SZ", "TC", "TD", "TF",
    "TG", "TH", "TJ", "TK", "TL", "TM", "TN", "TO", "TR", "TT", "TV", "TW", "TZ", "UA", "UG", "UM", "US", "UY",
    "UZ", "VA", "VC", "VE", "VG", "VI", "VN", "VU", "WF", "WS", "YE", "YT", "ZA", "ZM", "ZW",
];

/// The code in upper case, whatever case it is given in; none if there is no such country.
pub fn parse(code: &str) -> Option<&'static str> {
    let upper = code.to_ascii_uppercase();
    let index = CODES.binary_search(&upper.as_str()).ok()?;
    CODES.get(index).copied()
}

/// A country's code in upper case.
///
/// # Errors
/// If there is no such country.
pub(crate) fn country_of(field: Field, code: &str) -> Result<String, Refusal> {
    match parse(code) {
        Some(code) => Ok(code.to_owned()),
        None => Err(Refusal::invalid(field, "an ISO 3166 alpha-2 country code, such as US")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_read_in_any_case() {
        assert!(CODES.is_sorted());
        assert_eq!(CODES.len(), 249);
        assert_eq!((parse("in"), parse("US"), parse("gB")), (Some("IN"), Some("US"), Some("GB")));
        assert_eq!((parse("XX"), parse("USA"), parse(""), parse("ÄÖ")), (None, None, None, None));
    }
}
