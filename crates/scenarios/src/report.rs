//! What is printed of the cases: a line for each, and one that counts.

use crate::verdict::Verdict;

/// How many cases came out how.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    agree: usize,
    differ_as_known: usize,
    not_yet: usize,
    /// Those that differ and are not on the list.
    differ: usize,
    /// Those that are on the list and do not differ.
    listed_in_vain: usize,
}

impl Report {
    /// Counts a case and says what came of it. `known` is why it differs, if it is on the list.
    pub(crate) fn line(&mut self, id: &str, title: &str, verdict: &Verdict, known: Option<&str>) -> String {
        match (verdict, known) {
            (Verdict::Agrees, None) => {
                self.agree += 1;
                format!("agrees {id}: {title}")
            }
            (Verdict::NotYet(what), None) => {
                self.not_yet += 1;
                format!("not supported yet {id}: {what}")
            }
            (Verdict::Differs { expected, got }, None) => {
                self.differ += 1;
                format!("DIFFERS {id}: expected {expected}, got {got}")
            }
            (Verdict::Differs { expected, got }, Some(why)) => {
                self.differ_as_known += 1;
                format!("differs as known {id}: expected {expected}, got {got} ({why})")
            }
            (Verdict::Agrees, Some(_)) => {
                self.listed_in_vain += 1;
                format!("AGREES NOW {id}: take it off the list of known differences")
            }
            (Verdict::NotYet(what), Some(_)) => {
                self.listed_in_vain += 1;
                format!("NOT SUPPORTED YET {id}: {what}; take it off the list of known differences")
            }
        }
    }

    /// The line that counts.
    pub(crate) fn sum(&self) -> String {
        let Report { agree, differ_as_known, not_yet, differ, listed_in_vain } = self;
        let mut sum = format!("{agree} agree, {differ_as_known} differ (known), {not_yet} not supported yet");
        if *differ > 0 {
            sum += &format!(", {differ} DIFFER");
        }
        if *listed_in_vain > 0 {
            sum += &format!(", {listed_in_vain} TO BE TAKEN OFF THE LIST");
        }
        sum
    }

    /// Whether every case came out as it should.
    pub(crate) fn is_good(&self) -> bool {
        self.differ == 0 && self.listed_in_vain == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differs() -> Verdict {
        Verdict::Differs { expected: "1".to_owned(), got: "2".to_owned() }
    }

    #[test]
    fn what_is_as_it_should_be_is_counted() {
        let mut report = Report::default();
        report.line("a", "first", &Verdict::Agrees, None);
        report.line("b", "second", &Verdict::not_yet("usage"), None);
        assert!(report.line("c", "third", &differs(), Some("the reason")).ends_with("got 2 (the reason)"));
        assert_eq!(report.sum(), "1 agree, 1 differ (known), 1 not supported yet");
        assert!(report.is_good());
    }

    #[test]
    fn a_difference_that_is_not_listed_fails() {
        let mut report = Report::default();
        assert_eq!(report.line("a", "first", &differs(), None), "DIFFERS a: expected 1, got 2");
        assert_eq!(report.sum(), "0 agree, 0 differ (known), 0 not supported yet, 1 DIFFER");
        assert!(!report.is_good());
    }

    #[test]
    fn a_listed_case_that_does_not_differ_fails() {
        for verdict in [Verdict::Agrees, Verdict::not_yet("usage")] {
            let mut report = Report::default();
            assert!(report.line("a", "first", &verdict, Some("why")).contains("take it off the list"));
            assert!(!report.is_good());
        }
    }
}
