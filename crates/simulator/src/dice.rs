//! Chance that follows from a seed: the same seed throws the same dice.

/// A generator of numbers (SplitMix64, Steele, Lea and Flood 2014).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// The dice of a seed for one purpose: another purpose throws others, so that a change in how one
    /// part throws leaves the rest as it was.
    pub fn of(seed: u64, purpose: u64) -> Self {
        let mut dice = Self(seed ^ purpose.wrapping_mul(0xd605_1f3a_5c8b_e2b5));
        dice.throw();
        dice
    }

    /// The next number.
    pub fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to but not including `n`; 0 if `n` is.
    pub fn below(&mut self, n: usize) -> usize {
        // The skew is of no account at these sizes.
        usize::try_from(self.throw() % (n.max(1) as u64)).unwrap_or(0)
    }

    /// A number of a range, both ends in it.
    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        let width = to.abs_diff(from).saturating_add(1);
        from.saturating_add_unsigned(self.throw() % width.max(1))
    }

    /// Whether something of so many percent comes to pass.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.throw() % 100 < percent
    }

    /// One of several; none of none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }

    /// One of several, each as likely as its weight says.
    pub fn weighed<T: Copy>(&mut self, first: (u64, T), others: &[(u64, T)]) -> T {
        let whole: u64 = first.0 + others.iter().map(|(weight, _)| weight).sum::<u64>();
        let mut left = self.throw() % whole.max(1);
        for (weight, thing) in others {
            if left < *weight {
                return *thing;
            }
            left -= weight;
        }
        first.1
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn the_same_seed_throws_the_same() {
        let (mut a, mut b, mut c) = (Dice::of(7, 1), Dice::of(7, 1), Dice::of(7, 2));
        let throws = |dice: &mut Dice| (0..20).map(|_| dice.throw()).collect::<Vec<_>>();
        let first = throws(&mut a);
        assert_eq!(first, throws(&mut b));
        assert_ne!(first, throws(&mut c));
    }

    #[test]
    fn numbers_stay_in_their_range_and_weights_count() {
        let mut dice = Dice::of(1, 1);
        let mut seen = [0; 3];
        for _ in 0..1_000 {
            assert!((-2..=2).contains(&dice.between(-2, 2)));
            seen[dice.weighed((1, 0), &[(9, 1), (0, 2)])] += 1;
        }
        assert!(seen[0] > 50 && seen[1] > 800 && seen[2] == 0, "{seen:?}");
    }
}
