//! ISO 4217 currencies and the number of decimals of each.
//!
//! Owns the table. A value of [`Currency`] is always one of it. Sums are in `money`; no time, no rates of
//! exchange.

use std::fmt;
use std::str::FromStr;

/// Codes in alphabetical order, each with its exponent: how many decimals its major unit has.
#[rustfmt::skip]
const TABLE: [(&str, u32); 157] = [
    ("AED", 2), ("AFN", 2), ("ALL", 2), ("AMD", 2), ("ANG", 2), ("AOA", 2), ("ARS", 2), ("AUD", 2),
    ("AWG", 2), ("AZN", 2), ("BAM", 2), ("BBD", 2), ("BDT", 2), ("BGN", 2), ("BHD", 3), ("BIF", 0),
    ("BMD", 2), ("BND", 2), ("BOB", 2), ("BRL", 2), ("BSD", 2), ("BTN", 2), ("BWP", 2), ("BYN", 2),
    ("BZD", 2), ("CAD", 2), ("CDF", 2), ("CHF", 2), ("CLF", 4), ("CLP", 0), ("CNY", 2), ("COP", 2),
    ("CRC", 2), ("CUP", 2), ("CVE", 2), ("CZK", 2), ("DJF", 0), ("DKK", 2), ("DOP", 2), ("DZD", 2),
    ("EGP", 2), ("ERN", 2), ("ETB", 2), ("EUR", 2), ("FJD", 2), ("FKP", 2), ("GBP", 2), ("GEL", 2),
    ("GHS", 2), ("GIP", 2), ("GMD", 2), ("GNF", 0), ("GTQ", 2), ("GYD", 2), ("HKD", 2), ("HNL", 2),
    ("HTG", 2), ("HUF", 2), ("IDR", 2), ("ILS", 2), ("INR", 2), ("IQD", 3), ("IRR", 2), ("ISK", 0),
    ("JMD", 2), ("JOD", 3), ("JPY", 0), ("KES", 2), ("KGS", 2), ("KHR", 2), ("KMF", 0), ("KPW", 2),
    ("KRW", 0), ("KWD", 3), ("KYD", 2), ("KZT", 2), ("LAK", 2), ("LBP", 2), ("LKR", 2), ("LRD", 2),
    ("LSL", 2), ("LYD", 3), ("MAD", 2), ("MDL", 2), ("MGA", 2), ("MKD", 2), ("MMK", 2), ("MNT", 2),
    ("MOP", 2), ("MRU", 2), ("MUR", 2), ("MVR", 2), ("MWK", 2), ("MXN", 2), ("MYR", 2), ("MZN", 2),
    ("NAD", 2), ("NGN", 2), ("NIO", 2), ("NOK", 2), ("NPR", 2), ("NZD", 2), ("OMR", 3), ("PAB", 2),
    ("PEN", 2), ("PGK", 2), ("PHP", 2), ("PKR", 2), ("PLN", 2), ("PYG", 0), ("QAR", 2), ("RON", 2),
    ("RSD", 2), ("RUB", 2), ("RWF", 0), ("SAR", 2), ("SBD", 2), ("SCR", 2), ("SDG", 2), ("SEK", 2),
    ("SGD", 2), ("SHP", 2), ("SLE", 2), ("SOS", 2), ("SRD", 2), ("SSP", 2), ("STD", 2), ("STN", 2),
    ("SVC", 2), ("SYP", 2), ("SZL", 2), ("THB", 2), ("TJS", 2), ("TMT", 2), ("TND", 3), ("TOP", 2),
    ("TRY", 2), ("TTD", 2), ("TWD", 2), ("TZS", 2), ("UAH", 2), ("UGX", 0), ("USD", 2), ("UYU", 2),
    ("UZS", 2), ("VES", 2), ("VND", 0), ("VUV", 0), ("WST", 2), ("XAF", 0), ("XCD", 2), ("XCG", 2),
    ("XOF", 0), ("XPF", 0), ("YER", 2), ("ZAR", 2), ("ZMW", 2),
];

/// The code is not in ISO 4217's list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an ISO 4217 currency code")]
pub struct UnknownCurrency(pub String);

/// An ISO 4217 currency. Ordered by its code.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(u8);

impl Currency {
    /// United States dollar, two decimals.
    pub const USD: Currency = Currency::named("USD");
    /// Euro, two decimals.
    pub const EUR: Currency = Currency::named("EUR");
    /// Indian rupee, two decimals.
    pub const INR: Currency = Currency::named("INR");
    /// Japanese yen, no decimals.
    pub const JPY: Currency = Currency::named("JPY");
    /// Kuwaiti dinar, three decimals.
    pub const KWD: Currency = Currency::named("KWD");
    /// Pound sterling, two decimals.
    pub const GBP: Currency = Currency::named("GBP");

    /// Reads a three-letter code in any case. Errors on a code that the table does not hold.
    pub fn parse(code: &str) -> Result<Currency, UnknownCurrency> {
        let unknown = || UnknownCurrency(code.chars().take(12).collect());
        let bytes: [u8; 3] = code.as_bytes().try_into().map_err(|_| unknown())?;
        let upper = bytes.map(|byte| byte.to_ascii_uppercase());
        let index =
            TABLE.binary_search_by(|(known, _)| known.as_bytes().cmp(&upper)).map_err(|_| unknown())?;
        u8::try_from(index).map(Currency).map_err(|_| unknown())
    }

    /// The upper-case code.
    pub const fn code(self) -> &'static str {
        TABLE[self.0 as usize].0
    }

    /// How many decimals the major unit has: 2 for USD, 0 for JPY, 3 for KWD.
    pub const fn exponent(self) -> u32 {
        TABLE[self.0 as usize].1
    }

    /// How many minor units make one major unit.
    pub const fn minor_per_major(self) -> i64 {
        10_i64.pow(self.exponent())
    }

    /// Every currency, in the order of the codes.
    pub fn all() -> impl Iterator<Item = Currency> {
        (0_u8..).take(TABLE.len()).map(Currency)
    }

    const fn named(code: &str) -> Currency {
        let code = code.as_bytes();
        let mut index = 0;
        while index < TABLE.len() {
            let known = TABLE[index].0.as_bytes();
            if known[0] == code[0] && known[1] == code[1] && known[2] == code[2] {
                return Currency(index as u8);
            }
            index += 1;
        }
        panic!("a constant names a currency that the table does not hold")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(code: &str) -> Result<Currency, UnknownCurrency> {
        Currency::parse(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_every_code_reads_back() {
        assert!(TABLE.len() < 256 && TABLE.is_sorted_by(|a, b| a.0 < b.0));
        for currency in Currency::all() {
            assert_eq!(Currency::parse(currency.code()).unwrap(), currency);
            assert_eq!(Currency::parse(&currency.code().to_lowercase()).unwrap(), currency);
        }
        assert_eq!(Currency::all().count(), TABLE.len());
    }

    #[test]
    fn exponents_are_those_of_iso_4217() {
        for (code, exponent) in
            [("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("ISK", 0), ("HUF", 2), ("UGX", 0)]
        {
            assert_eq!(Currency::parse(code).unwrap().exponent(), exponent, "{code}");
        }
        assert_eq!((Currency::USD.code(), Currency::JPY.code(), Currency::KWD.code()), ("USD", "JPY", "KWD"));
        assert_eq!((Currency::EUR.code(), Currency::INR.code(), Currency::GBP.code()), ("EUR", "INR", "GBP"));
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for code in ["", "US", "USDT", "XXX", "U$D", "ÄB", " USD"] {
            assert!(Currency::parse(code).is_err(), "{code:?}");
        }
    }

    #[test]
    fn every_currency_of_the_flowglad_contract_is_known() {
        let listed = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BIF BMD BND BOB BRL BSD BWP BYN BZD \
            CAD CDF CHF CLP CNY COP CRC CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD \
            HNL HTG HUF IDR ILS INR ISK JMD JPY KES KGS KHR KMF KRW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK \
            MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF \
            SAR SBD SCR SEK SGD SHP SLE SOS SRD STD SZL THB TJS TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VND VUV WST \
            XAF XCD XOF XPF YER ZAR ZMW";
        for code in listed.split_whitespace() {
            assert!(Currency::parse(code).is_ok(), "{code}");
        }
    }
}
