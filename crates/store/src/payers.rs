//! Reading customers with what is needed to charge them, and the rules of their books.

use crate::records::codecs::{CurrencyCode, Int, OneColumn};
use crate::{Error, Param, Snapshot};
use async_recursion::async_recursion as boxed;
use billing::currency::Currency;
use billing::customer::{Customer, PaymentMethod};
use billing::customer_account::CustomerAccount;
use billing::id::{CustomerId, Id};
use billing::payment::Credit;
use billing::rules::Rules;

const RULES: &str = concat!("select ", environment_columns!("e"), " from environments e where e.number = $1");
const TAX_RATES: &str =
    concat!("select ", tax_rate_columns!("t"), " from tax_rates t where t.environment = $1 order by t.id");

/// The rules of an environment.
#[boxed]
pub async fn rules(s: &mut Snapshot, environment: i64) -> Result<Option<Rules>, Error> {
    let Some(found) = s.row(RULES, &[environment.into()], |row| row.record()).await? else {
        return Ok(None);
    };
    let tax_rates = s.rows(TAX_RATES, &[environment.into()], |row| row.record()).await?;
    Ok(Some(Rules { environment: found, tax_rates }))
}

const PAYER: &str = concat!(
    "select ",
    customer_columns!("c"),
    ", v.version from customers c
     join customer_versions v on v.shard = c.shard and v.customer_id = c.id
     where c.shard = $1 and c.id = $2"
);
const METHODS: &str = concat!(
    "select ",
    payment_method_columns!("m"),
    " from payment_methods m where m.shard = $1 and m.customer_id = $2 order by m.id"
);
// What a refund that is under way may give back is not spent until its outcome is known.
const CREDITS: &str = concat!(
    "select ",
    credit_columns!("c"),
    " from credits c where c.shard = $1 and c.customer_id = $2 and c.remaining > 0
     and not exists (select 1 from refunds r
         where r.shard = c.shard and r.payment_id = c.payment_id and r.status = 'processing')
     order by c.id"
);
const NEWEST_INVOICE: &str = "select customer_ordinal, currency, currency_ordinal from invoices
     where shard = $1 and customer_id = $2 order by customer_ordinal desc limit 1";
const INVOICE_COUNTS: &str = "select currency, max(currency_ordinal) as n from invoices
     where shard = $1 and customer_id = $2 group by currency";

/// Customers of an environment with what is needed to charge them, in the order of the ids; ids that
/// are not of the environment are left out.
#[boxed]
pub async fn load(
    s: &mut Snapshot,
    environment: i64,
    ids: &[CustomerId],
) -> Result<Vec<CustomerAccount>, Error> {
    let keys = || ids.iter().map(|id| [id.shard().into(), Param::Id(id.raw())]);
    let mut found: Vec<Option<CustomerAccount>> = vec![None; ids.len()];
    s.each_for(PAYER, keys(), |n, row| {
        let customer: Customer = row.record()?;
        if customer.environment == environment {
            let version = Int::of(row, "version")?;
            found[n] = Some(CustomerAccount {
                customer,
                version,
                methods: Vec::new(),
                credits: Vec::new(),
                invoice_count: 0,
                currency_invoice_counts: Vec::new(),
            });
        }
        Ok(())
    })
    .await?;
    let mut methods: Vec<(usize, PaymentMethod)> = Vec::new();
    s.each_for(METHODS, keys(), |n, row| {
        methods.push((n, row.record()?));
        Ok(())
    })
    .await?;
    let mut credits: Vec<(usize, Credit)> = Vec::new();
    s.each_for(CREDITS, keys(), |n, row| {
        credits.push((n, row.record()?));
        Ok(())
    })
    .await?;
    let mut mixed = Vec::new();
    s.each_for(NEWEST_INVOICE, keys(), |n, row| {
        let count = Int::of(row, "customer_ordinal")?;
        let (currency, ordinal) = (CurrencyCode::of(row, "currency")?, Int::of(row, "currency_ordinal")?);
        if let Some(payer) = &mut found[n] {
            payer.invoice_count = count;
            payer.currency_invoice_counts = vec![(currency, ordinal)];
            // Fewer in its own currency than in all: there are others to count.
            if ordinal != count {
                mixed.push(n);
            }
        }
        Ok(())
    })
    .await?;
    for n in mixed {
        let key = [ids[n].shard().into(), Param::Id(ids[n].raw())];
        let counts: Vec<(Currency, i64)> = s
            .rows(INVOICE_COUNTS, &key, |row| Ok((CurrencyCode::of(row, "currency")?, Int::of(row, "n")?)))
            .await?;
        if let Some(payer) = &mut found[n] {
            payer.currency_invoice_counts = counts;
        }
    }
    for (n, method) in methods {
        if let Some(payer) = &mut found[n] {
            payer.methods.push(method);
        }
    }
    for (n, credit) in credits {
        if let Some(payer) = &mut found[n] {
            payer.credits.push(credit);
        }
    }
    Ok(found.into_iter().flatten().collect())
}

/// One customer of an environment with what is needed to charge it.
#[boxed]
pub async fn load_one(
    s: &mut Snapshot,
    environment: i64,
    id: CustomerId,
) -> Result<Option<CustomerAccount>, Error> {
    Ok(load(s, environment, &[id]).await?.pop())
}
