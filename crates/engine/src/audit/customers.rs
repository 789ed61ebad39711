//! Customers: their names, the places of their invoices, and their money in rows and ledger.

use super::check::{Check, Findings};
use super::label::label;
use super::ledger::{Ledger, Slice, Sums};
use super::{Audit, PAGE};
use crate::error::Error;
use billing::currency::Currency;
use billing::customer::Customer;
use std::collections::BTreeMap;
use store::audit::{After, InvoiceSums, MoneySums, Named};

/// Of how many customers the ledger is summed up in memory at a time.
const SLICE: i64 = 100_000;

impl Audit<'_> {
    /// Compares the ledger with the rows, customer by customer.
    pub(super) async fn ledger_and_customers(&mut self) -> Result<(), Error> {
        let mut names: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        let (mut after, mut is_first) = (After::NOTHING, true);
        loop {
            let end = store::audit::slice_end(self.s, after, SLICE).await?;
            let until = end.unwrap_or(After { shard: i64::MAX, id: u128::MAX });
            let slice = Slice { after, until };
            let mut ledger = self.ledger_of(slice, is_first).await?;
            self.customers_of(slice, &mut ledger, &mut names).await?;
            for ((customer, currency), sums) in ledger {
                let subject = || format!("{} in {currency}", label("customer", customer));
                self.findings.look(Check::Receivable, None, &subject).same(
                    "what the ledger says of nobody",
                    sums,
                    Sums::default(),
                );
            }
            (after, is_first) = (until, false);
            if end.is_none() {
                break;
            }
        }
        for rules in &self.books {
            let number = rules.environment.number;
            let derived = names.get(&number).copied().unwrap_or_default();
            let stored = store::audit::names(self.s, number).await?;
            let subject = || "the names of customers".to_owned();
            self.findings.look(Check::Names, number, &subject).same(
                "how many external ids and handles there are",
                stored,
                derived,
            );
        }
        Ok(())
    }

    async fn customers_of(
        &mut self,
        slice: Slice,
        ledger: &mut Ledger,
        names: &mut BTreeMap<i64, (i64, i64)>,
    ) -> Result<(), Error> {
        let mut after = slice.after;
        loop {
            let mut page = store::audit::named(self.s, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = After::row(last.customer.id);
            page.retain(|named| {
                After::row(named.customer.id) <= slice.until && self.covers(named.customer.environment)
            });
            let ids: Vec<_> = page.iter().map(|named| named.customer.id).collect();
            let invoices = store::audit::invoice_sums(self.s, &ids).await?;
            let money = store::audit::money_sums(self.s, &ids).await?;
            for ((known, invoices), money) in page.iter().zip(&invoices).zip(&money) {
                let count = names.entry(known.customer.environment).or_default();
                count.0 += 1;
                count.1 += i64::from(known.customer.handle.is_some());
                check_names(&mut self.findings, known);
                check_ordinals(&mut self.findings, &known.customer, invoices);
                check_money(&mut self.findings, &known.customer, ledger, invoices, money);
            }
            self.report_progress("customers", page.len());
            if after >= slice.until {
                return Ok(());
            }
        }
    }
}

fn check_names(findings: &mut Findings, known: &Named) {
    let Named { customer, has_version, by_external_id, by_handle } = known;
    let subject = || label("customer", customer.id);
    let wanted_by_handle = customer.handle.as_ref().map(|_| customer.id);
    findings
        .look(Check::Names, customer.environment, &subject)
        .same("whom its external id finds", *by_external_id, Some(customer.id))
        .same("whom its handle finds", *by_handle, wanted_by_handle)
        .holds("having a version", *has_version);
}

fn check_ordinals(findings: &mut Findings, customer: &Customer, sums: &[InvoiceSums]) {
    let subject = || label("customer", customer.id);
    let count: i64 = sums.iter().map(|sums| sums.count).sum();
    let last = sums.iter().map(|sums| sums.customer_ordinal_max).max().unwrap_or(0);
    let mut look = findings.look(Check::CustomerOrdinals, customer.environment, &subject);
    look.same("the last place of its invoices", last, count);
    for sums in sums {
        let what = format!("the last place of its invoices in {}", sums.currency);
        look.same(&what, sums.currency_ordinal_max, sums.count);
        let what = format!("how many places its invoices in {} have", sums.currency);
        look.same(&what, sums.currency_ordinals, sums.count);
    }
}

fn check_money(
    findings: &mut Findings,
    customer: &Customer,
    ledger: &mut Ledger,
    invoices: &[InvoiceSums],
    money: &[MoneySums],
) {
    let mut currencies: Vec<Currency> = invoices.iter().map(|sums| sums.currency).collect();
    currencies.extend(money.iter().map(|sums| sums.currency));
    currencies.sort_unstable();
    currencies.dedup();
    for currency in currencies {
        let stored = ledger.remove(&(customer.id, currency)).unwrap_or_default();
        let invoices = invoices.iter().find(|sums| sums.currency == currency);
        let money = money.iter().find(|sums| sums.currency == currency);
        let derived = derive(invoices, money);
        let subject = || format!("{} in {currency}", label("customer", customer.id));
        for (check, stored, derived) in [
            (Check::Receivable, stored.receivable, derived.receivable),
            (Check::CustomerBalance, stored.balance, derived.balance),
            (Check::Refunds, stored.refunds, derived.refunds),
            (Check::Revenue, stored.revenue, derived.revenue),
            (Check::Tax, stored.tax, derived.tax),
            (Check::BadDebt, stored.bad_debt, derived.bad_debt),
        ] {
            findings.look(check, customer.environment, &subject).same("the account's sum", stored, derived);
        }
        findings
            .look(Check::Cash, customer.environment, &subject)
            .same("the cash at gateways", stored.gateway_cash, derived.gateway_cash)
            .same("the cash written down by staff", stored.manual_cash, derived.manual_cash);
    }
}

/// What the ledger should say, by the rows.
fn derive(invoices: Option<&InvoiceSums>, money: Option<&MoneySums>) -> Sums {
    let mut sums = Sums::default();
    if let Some(invoices) = invoices {
        sums.receivable = invoices.owed.into();
        sums.bad_debt = invoices.given_up.into();
        sums.revenue = -i128::from(invoices.subtotal);
        sums.tax = -i128::from(invoices.tax);
    }
    if let Some(money) = money {
        let refunded = i128::from(money.refunded);
        sums.balance = -i128::from(money.remaining);
        sums.gateway_cash = i128::from(money.charged) - refunded;
        sums.manual_cash = money.written_down.into();
        sums.refunds = refunded - i128::from(money.refunded_from_balance);
    }
    sums
}
