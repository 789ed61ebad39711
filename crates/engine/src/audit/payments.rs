//! Payments with their refunds, balances with their uses, and the lists that payments are in.

use super::check::{Check, Findings};
use super::label::{self, label};
use super::{Audit, PAGE};
use crate::error::Error;
use billing::id::{Id, InvoiceId};
use billing::payment::{Payment, PaymentKind, PaymentStatus, RefundStatus};
use std::collections::BTreeMap;
use store::audit::{After, Drawn};
use store::counted_list::{self, CountedList, Lists, Totals};

type Refunds = [(RefundStatus, i64, Option<InvoiceId>)];

impl Audit<'_> {
    /// Looks at every payment, and keeps what the counted lists should sum to.
    pub(super) async fn payments(&mut self) -> Result<(), Error> {
        let mut received: BTreeMap<CountedList, Totals> = BTreeMap::new();
        let mut after = After::NOTHING;
        loop {
            let mut page = store::audit::payments(self.s, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = After::row(last.id);
            page.retain(|payment| self.covers(payment.environment));
            let ids: Vec<_> = page.iter().map(|payment| payment.id).collect();
            let refunds = store::audit::refunds(self.s, &ids).await?;
            let credits = store::audit::credits_of(self.s, &ids).await?;
            let listed = store::audit::listed(self.s, &page).await?;
            for (n, payment) in page.iter().enumerate() {
                check_refunds(&mut self.findings, payment, &refunds[n]);
                check_payment(&mut self.findings, payment, credits[n]);
                let (ranking, amount) = listed[n];
                let Some(ranking) = ranking else { continue };
                let subject = || label::of_payment(payment);
                self.findings.look(Check::PaymentLists, payment.environment, &subject).same(
                    "its amount in its list",
                    amount,
                    Some(payment.amount),
                );
                let totals = received.entry(ranking).or_default();
                totals.count += 1;
                totals.amount = totals.amount.saturating_add(payment.amount);
            }
            self.report_progress("payments", page.len());
        }
        self.list_totals(received).await
    }

    /// Compares what the counted lists sum to with the payments that belong in them.
    async fn list_totals(&mut self, mut received: BTreeMap<CountedList, Totals>) -> Result<(), Error> {
        for ranking in store::audit::counted_lists(self.s).await? {
            if !self.covers(ranking.environment) {
                continue;
            }
            let derived = received.remove(&ranking).unwrap_or_default();
            let stored = counted_list::total(self.s, &[ranking], Lists::ALL).await?;
            let subject = || format!("list {} of shard {}", ranking.number, ranking.shard);
            self.findings.look(Check::PaymentLists, ranking.environment, &subject).same(
                "its totals",
                stored,
                derived,
            );
        }
        Ok(())
    }

    /// Counts every list again.
    pub(super) async fn lists(&mut self) -> Result<(), Error> {
        for ranking in store::audit::counted_lists(self.s).await? {
            if !self.covers(ranking.environment) {
                continue;
            }
            let wrong = counted_list::verify(self.s, ranking).await?;
            let subject = || format!("list {} of shard {}", ranking.number, ranking.shard);
            self.findings.look(Check::Lists, ranking.environment, &subject).same(
                "a node",
                wrong.as_deref(),
                None,
            );
            self.report_progress("lists", 1);
        }
        Ok(())
    }

    /// Looks at every credit.
    pub(super) async fn credits(&mut self) -> Result<(), Error> {
        let mut after = After::NOTHING;
        loop {
            let mut page = store::audit::credits(self.s, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = After::row(last.credit.id);
            page.retain(|drawn| self.covers(drawn.credit.environment));
            for drawn in &page {
                check_credit(&mut self.findings, drawn);
            }
            self.report_progress("credits", page.len());
        }
    }
}

fn check_refunds(findings: &mut Findings, payment: &Payment, refunds: &Refunds) {
    let subject = || label::of_payment(payment);
    let of = |wanted: RefundStatus| -> i64 {
        refunds.iter().filter(|(status, ..)| *status == wanted).map(|(_, amount, _)| amount).sum()
    };
    let given_back = of(RefundStatus::Succeeded);
    findings
        .look(Check::PaymentRefunds, payment.environment, &subject)
        .same("what is refunded", payment.refunded, given_back)
        .holds("no more being given back than came", {
            given_back + of(RefundStatus::Processing) <= payment.amount
        })
        .holds(
            "its refunds being of its invoice",
            refunds.iter().all(|(_, _, invoice)| *invoice == payment.invoice_id),
        )
        .holds(
            "nothing being given back of what did not come",
            refunds.is_empty() || payment.status == PaymentStatus::Succeeded,
        );
}

/// A manual payment is all on the balance first; an automatic one leaves there what was too much.
fn check_payment(findings: &mut Findings, payment: &Payment, credited: Option<i64>) {
    let subject = || label::of_payment(payment);
    let mut look = findings.look(Check::Credits, payment.environment, &subject);
    match payment.kind {
        PaymentKind::Manual => {
            let kept = if payment.deleted_at.is_some() { 0 } else { payment.amount };
            look.same("its credit", credited, Some(kept)).same("its invoice", payment.invoice_id, None).same(
                "its status",
                payment.status,
                PaymentStatus::Succeeded,
            );
        }
        PaymentKind::Automatic => {
            let has_come = payment.status == PaymentStatus::Succeeded;
            look.holds(
                "its credit being a part of it",
                credited.is_none_or(|c| has_come && c <= payment.amount),
            )
            .holds("being for an invoice", payment.invoice_id.is_some());
        }
    }
}

fn check_credit(findings: &mut Findings, drawn: &Drawn) {
    let Drawn { credit, allocated, payment } = drawn;
    let subject = || label("credit", credit.id);
    let mut look = findings.look(Check::Credits, credit.environment, &subject);
    let used = credit.amount - credit.remaining;
    match payment {
        // Of an automatic payment, what is left on the balance is what a refund gives back first.
        Some((PaymentKind::Automatic, refunded, _)) => {
            let given_back = used - allocated;
            look.holds("being used or given back", (0..=*refunded).contains(&given_back));
        }
        Some((PaymentKind::Manual, ..)) | None => {
            look.same("what is used", used, *allocated);
        }
    }
    if let Some((_, _, is_same)) = payment {
        look.holds("having its payment's customer and currency", *is_same);
    }
    look.holds("its payment existing", credit.payment_id.is_some() == payment.is_some())
        .holds("its shard being its customer's", credit.id.shard() == credit.customer_id.shard());
}
