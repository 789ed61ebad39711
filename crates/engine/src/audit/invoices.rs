//! Invoices, one by one: their sums, their seal, their entry, and what settles them.

use super::check::{Check, Findings};
use super::{Audit, PAGE, label};
use crate::error::Error;
use billing::environment::Environment;
use billing::invoice::{Invoice, InvoiceKind, InvoiceLine, InvoiceStatus, InvoiceTax};
use billing::ledger::Account;
use billing::payment::PaymentStatus;
use billing::purchase::{Purchase, PurchaseStatus};
use std::collections::BTreeMap;
use store::audit::{Attempt, AuditedEntry, PeriodOwner};

/// An invoice with all that hangs on it.
struct Loaded<'a> {
    invoice: &'a Invoice,
    lines: &'a [InvoiceLine],
    taxes: &'a [InvoiceTax],
    entries: &'a [AuditedEntry],
    attempts: &'a [Attempt],
    allocated: i64,
}

impl Audit<'_> {
    pub(super) async fn invoices(&mut self) -> Result<(), Error> {
        let books: Vec<Environment> = self.books.iter().map(|rules| rules.environment.clone()).collect();
        for environment in &books {
            let (mut last, mut purchased) = (0, 0);
            loop {
                let page = store::audit::invoices(self.s, environment.number, last, PAGE).await?;
                if page.is_empty() {
                    break;
                }
                for invoice in &page {
                    check_number(&mut self.findings, invoice, last + 1);
                    last = invoice.ordinal;
                }
                self.invoice_page(&page).await?;
                purchased += self.purchase_page(&page).await?;
                self.report_progress("invoices", page.len());
            }
            self.once_each(environment.number, purchased).await?;
        }
        Ok(())
    }

    async fn invoice_page(&mut self, page: &[Invoice]) -> Result<(), Error> {
        let ids: Vec<_> = page.iter().map(|invoice| invoice.id).collect();
        let lines = store::invoices::lines(self.s, &ids).await?;
        let taxes = store::invoices::taxes(self.s, &ids).await?;
        let entries = store::audit::issue_entries(self.s, &ids).await?;
        let attempts = store::audit::attempts(self.s, &ids).await?;
        let allocated = store::audit::allocated(self.s, &ids).await?;
        for (n, invoice) in page.iter().enumerate() {
            let loaded = Loaded {
                invoice,
                lines: &lines[n],
                taxes: &taxes[n],
                entries: &entries[n],
                attempts: &attempts[n],
                allocated: allocated[n],
            };
            check_content(&mut self.findings, &loaded);
            check_entry(&mut self.findings, &loaded);
            check_settled(&mut self.findings, &loaded);
            check_status(&mut self.findings, invoice);
            check_attempts(&mut self.findings, &loaded);
        }
        let billing: Vec<_> = page
            .iter()
            .filter(|i| matches!(i.kind, InvoiceKind::Subscription | InvoiceKind::Change))
            .collect();
        let periods: Vec<_> = billing.iter().filter_map(|invoice| invoice.period_id).collect();
        let mut owners = store::audit::period_owners(self.s, &periods).await?.into_iter();
        for invoice in billing {
            let owner = invoice.period_id.and_then(|_| owners.next().flatten());
            check_period(&mut self.findings, invoice, owner);
        }
        Ok(())
    }

    /// Compares purchases with their invoices; returns how many invoices are for one.
    async fn purchase_page(&mut self, page: &[Invoice]) -> Result<i64, Error> {
        let bought: Vec<_> = page.iter().filter(|invoice| invoice.purchase_id.is_some()).collect();
        let ids: Vec<_> = bought.iter().filter_map(|invoice| invoice.purchase_id).collect();
        let purchases = store::audit::purchases(self.s, &ids).await?;
        for (invoice, purchase) in bought.iter().zip(&purchases) {
            check_purchase(&mut self.findings, invoice, purchase.as_ref());
        }
        Ok(i64::try_from(bought.len()).unwrap_or(i64::MAX))
    }

    /// What is to be there once: every number, and one invoice for every purchase.
    async fn once_each(&mut self, environment: i64, purchased: i64) -> Result<(), Error> {
        for (number, count) in store::audit::repeated_numbers(self.s, environment, PAGE).await? {
            let subject = || format!("invoice number {number}");
            self.findings.look(Check::InvoiceNumbers, environment, &subject).same(
                "how many invoices have it",
                count,
                1,
            );
        }
        let purchases = store::audit::count(self.s, environment, "purchases").await?;
        let subject = || "the purchases".to_owned();
        self.findings.look(Check::Purchases, environment, &subject).same(
            "how many there are and how many invoices for them",
            purchases,
            purchased,
        );
        Ok(())
    }
}

fn check_number(findings: &mut Findings, invoice: &Invoice, place: i64) {
    // A series is told by its digits: the words before them may have been changed since.
    let of_all = format!("{:05}", invoice.ordinal);
    let of_customer = format!("-{:05}", invoice.customer_ordinal - 1);
    let is_formatted = invoice.number.ends_with(&of_all) || invoice.number.ends_with(&of_customer);
    findings
        .look(Check::InvoiceNumbers, invoice.environment, &|| label::of_invoice(invoice))
        .same("its place", invoice.ordinal, place)
        .holds("its number ending with its place", is_formatted);
}

fn sum(amounts: impl Iterator<Item = i64>) -> i128 {
    amounts.map(i128::from).sum()
}

fn check_content(findings: &mut Findings, loaded: &Loaded<'_>) {
    let Loaded { invoice, lines, taxes, .. } = loaded;
    let subject = || label::of_invoice(invoice);
    let (subtotal, tax) = (i128::from(invoice.subtotal), i128::from(invoice.tax));
    findings
        .look(Check::InvoiceTotals, invoice.environment, &subject)
        .same("its subtotal", subtotal, sum(lines.iter().map(|line| line.amount)))
        .same("its tax", tax, sum(taxes.iter().map(|tax| tax.amount)))
        .same("its total", i128::from(invoice.total), subtotal + tax)
        .holds("having lines", !lines.is_empty());
    findings
        .look(Check::InvoiceSeal, invoice.environment, &subject)
        .holds("its content having its seal", invoice.content_hash == store::seal(invoice, *lines, *taxes));
}

fn check_entry(findings: &mut Findings, loaded: &Loaded<'_>) {
    let Loaded { invoice, taxes, entries, .. } = loaded;
    let subject = || label::of_invoice(invoice);
    let mut look = findings.look(Check::InvoiceEntry, invoice.environment, &subject);
    let Some(AuditedEntry { entry, postings }) = entries.first() else {
        // An invoice of nothing over nothing moves no money.
        look.same("its total without an entry", (invoice.total, invoice.subtotal), (0, 0));
        return;
    };
    look.same("how many entries it has", entries.len(), 1)
        .same("its entry's customer", entry.customer_id, invoice.customer_id)
        .same("its entry's currency", entry.currency, invoice.currency)
        .same("its entry's environment", entry.environment, invoice.environment);
    let of = |wanted: &dyn Fn(&Account) -> bool| {
        let known = postings.iter().filter(|(name, _)| Account::parse(name).is_some_and(|a| wanted(&a)));
        sum(known.map(|(_, amount)| *amount))
    };
    let earned = of(&|account| matches!(account, Account::Revenue(_) | Account::Discounts));
    look.same("its entry's receivable", of(&|a| *a == Account::Receivable), invoice.total.into()).same(
        "its entry's revenue less discounts",
        earned,
        -i128::from(invoice.subtotal),
    );
    let mut jurisdictions: BTreeMap<String, i128> = BTreeMap::new();
    for tax in *taxes {
        let place = match &tax.state {
            Some(state) => format!("{}-{state}", tax.country),
            None => tax.country.clone(),
        };
        *jurisdictions.entry(place).or_default() += i128::from(tax.amount);
    }
    for (place, amount) in jurisdictions {
        let what = format!("its entry's tax of {place}");
        let account = Account::TaxPayable(place);
        look.same(&what, of(&|a| *a == account), -amount);
    }
}

fn check_settled(findings: &mut Findings, loaded: &Loaded<'_>) {
    let Loaded { invoice, attempts, allocated, .. } = loaded;
    let subject = || label::of_invoice(invoice);
    let charged = attempts.iter().filter(|attempt| attempt.status == PaymentStatus::Succeeded);
    let paid = sum(charged.map(|attempt| attempt.amount - attempt.surplus));
    findings.look(Check::InvoiceSettled, invoice.environment, &subject).same(
        "what is settled",
        i128::from(invoice.settled),
        paid + i128::from(*allocated),
    );
    let given_back = sum(attempts.iter().map(|attempt| attempt.refunded - attempt.surplus_refunded));
    findings.look(Check::InvoiceRefunded, invoice.environment, &subject).same(
        "what is refunded",
        i128::from(invoice.refunded),
        given_back,
    );
}

fn check_status(findings: &mut Findings, invoice: &Invoice) {
    let is_settled = invoice.settled == invoice.total;
    let fits = match invoice.status {
        InvoiceStatus::Open | InvoiceStatus::Uncollectible => invoice.settled < invoice.total,
        InvoiceStatus::Paid => is_settled && invoice.refunded == 0,
        InvoiceStatus::PartiallyRefunded => {
            is_settled && invoice.refunded > 0 && invoice.refunded < invoice.total
        }
        InvoiceStatus::Refunded => is_settled && invoice.refunded >= invoice.total && invoice.total > 0,
        InvoiceStatus::Void => invoice.settled == 0,
    };
    let Invoice { status, total, settled, refunded, .. } = invoice;
    let what =
        format!("status {} with {settled} of {total} settled and {refunded} refunded", status.as_str());
    let is_paid =
        matches!(status, InvoiceStatus::Paid | InvoiceStatus::PartiallyRefunded | InvoiceStatus::Refunded);
    let is_open = *status == InvoiceStatus::Open;
    findings
        .look(Check::InvoiceStatus, invoice.environment, &|| label::of_invoice(invoice))
        .holds(&what, fits)
        .same("having a time of payment", invoice.paid_at.is_some(), is_paid)
        .holds("no attempt being planned unless it is open", is_open || invoice.next_attempt_at.is_none());
}

fn check_attempts(findings: &mut Findings, loaded: &Loaded<'_>) {
    let Loaded { invoice, attempts, .. } = loaded;
    let subject = || label::of_invoice(invoice);
    let numbers: Vec<_> = attempts.iter().filter_map(|attempt| attempt.attempt).collect();
    let counted: Vec<i64> = (1..).take(attempts.len()).collect();
    let processing = attempts.iter().filter(|attempt| attempt.status == PaymentStatus::Processing).count();
    let retries = attempts.iter().filter(|attempt| attempt.is_retry).count();
    findings
        .look(Check::Attempts, invoice.environment, &subject)
        .same("its attempts", numbers, counted)
        .same("its count of attempts", usize::try_from(invoice.attempt_count), Ok(attempts.len()))
        .same("its count of retries", usize::try_from(invoice.retry_count), Ok(retries))
        .holds("at most one attempt being under way", processing <= 1)
        .holds(
            "all attempts being its customer's and in its currency",
            attempts.iter().all(|a| a.has_same_currency && a.customer_id == invoice.customer_id),
        );
}

fn check_period(findings: &mut Findings, invoice: &Invoice, owner: Option<PeriodOwner>) {
    let subject = || label::of_invoice(invoice);
    let mut look = findings.look(Check::PeriodInvoices, invoice.environment, &subject);
    let Some((subscription, billed_by, period)) = owner else {
        look.holds("its period existing", false);
        return;
    };
    look.same("the subscription of its period", invoice.subscription_id, Some(subscription));
    // What does not bill the period itself bills a change within it.
    if billed_by != Some(invoice.id) {
        look.holds(
            "the change that it bills lying within its period",
            invoice.period.is_some_and(|change| period.start <= change.start),
        );
    }
}

fn check_purchase(findings: &mut Findings, invoice: &Invoice, purchase: Option<&Purchase>) {
    let subject = || label::of_invoice(invoice);
    let mut look = findings.look(Check::Purchases, invoice.environment, &subject);
    let Some(purchase) = purchase else {
        look.holds("its purchase existing", false);
        return;
    };
    let fits = match invoice.status {
        InvoiceStatus::Open | InvoiceStatus::Void | InvoiceStatus::Uncollectible => {
            matches!(purchase.status, PurchaseStatus::Open | PurchaseStatus::Failed)
        }
        InvoiceStatus::Paid => purchase.status == PurchaseStatus::Paid,
        InvoiceStatus::PartiallyRefunded => purchase.status == PurchaseStatus::PartialRefund,
        InvoiceStatus::Refunded => purchase.status == PurchaseStatus::Refunded,
    };
    let status = purchase.status.as_str();
    look.holds(&format!("its purchase being {status} while it is {}", invoice.status.as_str()), fits)
        .same("the customer of its purchase", purchase.customer_id, invoice.customer_id)
        .same("the currency of its purchase", purchase.currency, invoice.currency);
}
