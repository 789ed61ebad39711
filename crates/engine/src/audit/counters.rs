//! Counters and places, beside the rows that they count.

use super::Audit;
use super::check::Check;
use crate::error::Error;
use std::collections::BTreeMap;

impl Audit<'_> {
    pub(super) async fn counters(&mut self) -> Result<(), Error> {
        let numbers: Vec<i64> = self.books.iter().map(|rules| rules.environment.number).collect();
        for environment in numbers {
            let tallies: BTreeMap<String, i64> =
                store::audit::tallies(self.s, environment).await?.into_iter().collect();
            for kind in store::audit::counted_kinds() {
                let stored = tallies.get(kind).copied().unwrap_or(0);
                let counted = store::audit::count(self.s, environment, kind).await?;
                let subject = || format!("the tally of {kind}");
                self.findings.look(Check::Tallies, environment, &subject).same("it", stored, counted);
            }
            for numbered in store::audit::numbered(self.s, environment).await? {
                let all = store::audit::count(self.s, environment, numbered.kind).await?;
                let subject = || format!("the places of {}", numbered.kind);
                self.findings
                    .look(Check::Numbers, environment, &subject)
                    .same("how many rows have one", numbered.count, all)
                    .same("how many there are", numbered.different, all)
                    .same("the last one", numbered.max, all);
            }
            self.report_progress("counters", 1);
        }
        Ok(())
    }
}
