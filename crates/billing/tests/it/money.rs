//! Money: parts sum to the whole, what is taken back mirrors what was charged, and too much is an error.

use billing::currency::Currency;
use billing::money::{Money, MoneyError, Ratio, Rounding};
use billing::proration::credit;
use billing::rate::Rate;
use proptest::prelude::*;

const ROUNDINGS: [Rounding; 4] = [Rounding::HalfUp, Rounding::HalfEven, Rounding::Down, Rounding::Up];

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn parts(whole: i64, weights: &[u64]) -> Vec<i64> {
    usd(whole).allocate(weights).unwrap().into_iter().map(Money::minor).collect()
}

#[test]
fn rounding_of_ties_and_of_what_is_near_them() {
    let rounded: Vec<Vec<i64>> = ROUNDINGS
        .iter()
        .map(|rounding| {
            let tenth = Ratio::new(1, 10).unwrap();
            [14, 15, 16, 25, -14, -15, -16, -25]
                .map(|n| usd(n).prorate(tenth, *rounding).unwrap().minor())
                .to_vec()
        })
        .collect();
    assert_eq!(rounded[0], [1, 2, 2, 3, -1, -2, -2, -3]);
    assert_eq!(rounded[1], [1, 2, 2, 2, -1, -2, -2, -2]);
    assert_eq!(rounded[2], [1, 1, 1, 2, -1, -1, -1, -2]);
    assert_eq!(rounded[3], [2, 2, 2, 3, -2, -2, -2, -3]);
}

#[test]
fn allocation_gives_what_is_left_to_the_largest_remainders() {
    assert_eq!(parts(100, &[1, 1, 1]), [34, 33, 33]);
    assert_eq!(parts(-100, &[1, 1, 1]), [-34, -33, -33]);
    assert_eq!(parts(5, &[0, 3, 7]), [0, 2, 3]);
    assert_eq!(parts(2_000, &[1_000, 2_000]), [667, 1_333]);
    assert_eq!(parts(i64::MIN, &[u64::MAX, u64::MAX]), [i64::MIN / 2; 2]);
    assert_eq!(usd(1).allocate(&[]), Err(MoneyError::NothingToAllocateBy));
    assert_eq!(usd(1).allocate(&[0, 0]), Err(MoneyError::NothingToAllocateBy));
}

#[test]
fn too_much_is_an_error() {
    let most = usd(i64::MAX);
    assert_eq!(most.checked_add(usd(1)), Err(MoneyError::Overflow));
    assert_eq!(usd(i64::MIN).checked_sub(usd(1)), Err(MoneyError::Overflow));
    assert_eq!(usd(i64::MIN).checked_neg(), Err(MoneyError::Overflow));
    assert_eq!(most.checked_mul_int(2), Err(MoneyError::Overflow));
    assert_eq!(most.prorate(Ratio::new(3, 2).unwrap(), Rounding::HalfUp), Err(MoneyError::Overflow));
    assert_eq!(Money::sum(Currency::USD, [most, usd(1)]), Err(MoneyError::Overflow));
    assert_eq!(most.prorate(Ratio::ONE, Rounding::HalfUp), Ok(most));
}

#[test]
fn currencies_do_not_mix() {
    let mixed = usd(1).checked_add(Money::new(1, Currency::JPY));
    assert_eq!(mixed, Err(MoneyError::CurrencyMismatch { left: Currency::USD, right: Currency::JPY }));
    assert!(usd(1).checked_sub(Money::zero(Currency::EUR)).is_err());
    assert!(usd(1).min(Money::zero(Currency::EUR)).is_err());
    assert!(Money::sum(Currency::EUR, [usd(1)]).is_err());
}

#[test]
fn major_units() {
    for (text, currency, minor) in [
        ("1357.35", Currency::INR, 135_735),
        ("1500", Currency::JPY, 1_500),
        ("1.234", Currency::KWD, 1_234),
        ("-0.05", Currency::USD, -5),
        ("0.00", Currency::USD, 0),
        ("92233720368547758.07", Currency::USD, i64::MAX),
        ("-92233720368547758.08", Currency::USD, i64::MIN),
    ] {
        assert_eq!(Money::parse_major(text, currency), Ok(Money::new(minor, currency)), "{text}");
        assert_eq!(Money::new(minor, currency).to_major_string(), text);
    }
    for (text, minor) in [("5", 500), ("5.5", 550), ("+5", 500), ("007", 700), ("-0", 0)] {
        assert_eq!(Money::parse_major(text, Currency::USD), Ok(usd(minor)), "{text}");
    }
    for text in ["", "-", ".", "5.", ".5", "1.234", "1,000", "1e3", " 5", "5 ", "--5", "٣", "NaN", "0x1"] {
        assert!(
            matches!(Money::parse_major(text, Currency::USD), Err(MoneyError::MalformedAmount(_))),
            "{text:?}"
        );
    }
    assert!(Money::parse_major("1.5", Currency::JPY).is_err());
    for text in ["92233720368547758.08", "999999999999999999999999999999999999999999999"] {
        assert_eq!(Money::parse_major(text, Currency::USD), Err(MoneyError::Overflow));
    }
    assert_eq!(format!("{} {:?}", usd(-5), Money::new(7, Currency::KWD)), "-0.05 USD 0.007 KWD");
}

#[test]
fn ratios_are_kept_in_lowest_terms() {
    let half = Ratio::new(15, 30).unwrap();
    assert_eq!((half.num(), half.den(), half.to_string()), (1, 2, "1/2".to_owned()));
    assert_eq!(half, Ratio::new(1, 2).unwrap());
    for den in [0, -1] {
        assert_eq!(Ratio::new(1, den), Err(MoneyError::ZeroDenominator));
    }
}

fn amounts() -> impl Strategy<Value = i64> {
    prop_oneof![-1_000_000_i64..1_000_000, any::<i64>()]
}

fn shares() -> impl Strategy<Value = Ratio> {
    (1_i64..4_000_000).prop_flat_map(|den| (0..=den).prop_map(move |num| Ratio::new(num, den).unwrap()))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]

    #[test]
    fn parts_sum_to_the_whole_and_are_fair(whole in amounts(), weights in prop::collection::vec(any::<u64>(), 1..12)) {
        prop_assume!(weights.iter().any(|weight| *weight > 0));
        let parts = usd(whole).allocate(&weights).unwrap();
        prop_assert_eq!(Money::sum(Currency::USD, parts.iter().copied()), Ok(usd(whole)));
        let total: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
        for (part, weight) in parts.iter().zip(&weights) {
            // |part × total − whole × weight| < total: off by less than a minor unit.
            let apart = i128::from(part.minor()) * total - i128::from(whole) * i128::from(*weight);
            prop_assert!(apart.abs() < total, "{:?} of {}", part, whole);
        }
    }

    #[test]
    fn prorate_then_reverse_is_zero(whole in amounts(), share in shares(), rounding in prop::sample::select(&ROUNDINGS)) {
        prop_assume!(whole > i64::MIN);
        let charged = usd(whole).prorate(share, rounding).unwrap();
        let reversed = usd(whole).checked_neg().unwrap().prorate(share, rounding).unwrap();
        prop_assert_eq!(charged.checked_add(reversed), Ok(usd(0)));
    }

    #[test]
    fn the_two_shares_of_a_period_are_off_by_a_minor_unit_at_most(whole in -1_000_000_i64..1_000_000, share in shares()) {
        let used = usd(whole).prorate(share, Rounding::HalfUp).unwrap();
        let rest = Ratio::new(share.den() - share.num(), share.den()).unwrap();
        let left = usd(whole).prorate(rest, Rounding::HalfUp).unwrap();
        prop_assert!((used.minor() + left.minor() - whole).abs() <= 1);
    }

    #[test]
    fn credits_never_exceed_their_line(line in -1_000_000_i64..1_000_000, shares in prop::collection::vec(shares(), 1..8)) {
        let mut credited = usd(0);
        for share in shares {
            let amount = credit(usd(line), credited, share).unwrap();
            prop_assert!(amount.is_zero() || amount.is_negative() == (line < 0));
            credited = credited.checked_add(amount).unwrap();
            prop_assert!(credited.minor().abs() <= line.abs());
        }
        let rest = credit(usd(line), credited, Ratio::ONE).unwrap();
        prop_assert_eq!(credited.checked_add(rest), Ok(usd(line)));
    }

    #[test]
    fn what_is_written_is_read(minor in any::<i64>(), currency in prop::sample::select(Currency::all().collect::<Vec<_>>())) {
        let money = Money::new(minor, currency);
        prop_assert_eq!(Money::parse_major(&money.to_major_string(), currency), Ok(money));
    }

    #[test]
    fn tax_within_and_on_top_agree(net in 0_i64..100_000_000, percent in 0_u32..5_000) {
        let rate = Rate::parse(&format!("{}.{:02}", percent / 100, percent % 100)).unwrap();
        let tax = rate.of(usd(net), Rounding::HalfUp).unwrap();
        let gross = usd(net).checked_add(tax).unwrap();
        prop_assert_eq!(rate.included_in(gross, Rounding::HalfUp), Ok(tax));
    }
}
