//! Periods tile, and each is billed by an invoice of its own.

use billing::id::{InvoiceId, PeriodId, SubscriptionId};
use billing::timestamp::Timestamp;
use std::collections::BTreeMap;
use store::audit::Holdings;

/// All periods that were seen.
#[derive(Debug, Default)]
pub(super) struct Periods {
    tiles: BTreeMap<SubscriptionId, BTreeMap<Timestamp, Timestamp>>,
    billed: BTreeMap<InvoiceId, PeriodId>,
}

impl Periods {
    pub(super) fn look(&mut self, held: &Holdings, breaches: &mut Vec<String>) {
        for row in &held.periods {
            let tiles = self.tiles.entry(row.subscription_id).or_default();
            tiles.insert(row.period.start, row.period.end);
            if let Some(invoice) = row.invoice_id {
                let first = *self.billed.entry(invoice).or_insert(row.id);
                if first != row.id {
                    breaches.push(format!("{invoice:?} bills both {first:?} and {:?}", row.id));
                }
            }
        }
        for (subscription, _) in &held.subscriptions {
            let mut at = subscription.started_at;
            for (start, end) in self.tiles.get(&subscription.id).into_iter().flatten() {
                if *start != at || (end <= start && !subscription.status.is_terminal()) {
                    breaches
                        .push(format!("{:?}: a period from {start} to {end} after {at}", subscription.id));
                }
                at = *end;
            }
            if at != subscription.period.end {
                breaches.push(format!(
                    "{:?} ends at {} with periods until {at}",
                    subscription.id, subscription.period.end
                ));
            }
        }
    }
}
