//! Money that was received.

use super::OffsetPage;
use crate::counted_list::{self, Between, CountedList, Totals};
use crate::records::codecs::{Codec, Every, Id, Int, OneColumn, Opt, Text, Word};
use crate::{Error, Row, Snapshot, received, received_lists};
use async_recursion::async_recursion as boxed;
use billing::calendar::Interval;
use billing::catalog::Category;
use billing::currency::Currency;
use billing::id::{CustomerId, Id as _, PaymentId, PriceId};
use billing::payment::{Payment, PaymentKind};

/// A payment with the customer and the price that explain it.
#[derive(Debug, Clone, PartialEq)]
pub struct PaymentRow {
    /// The payment.
    pub payment: Payment,
    /// The merchant's own id of the customer.
    pub customer_external_id: String,
    /// The customer's name.
    pub customer_name: String,
    /// The customer's e-mail address.
    pub customer_email: String,
    /// What it paid for, if that has a price.
    pub plan: Option<Plan>,
}

/// What was paid for.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The price.
    pub price_id: PriceId,
    /// The price's name.
    pub price_name: Option<String>,
    /// The product's name.
    pub product_name: String,
    /// How long a period is; none if it is charged once.
    pub interval: Option<Interval>,
}

/// Which payments are wanted: money that was received in a currency and not taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The number of the environment.
    pub environment: i64,
    /// The currency.
    pub currency: Currency,
    /// Whose; everybody's if none.
    pub customer: Option<CustomerId>,
    /// What for; everything if none.
    pub categories: Option<&'static [Category]>,
    /// How it came; both if none.
    pub kind: Option<PaymentKind>,
    /// When it came.
    pub between: Between,
}

macro_rules! received_columns {
    () => {
        concat!(
            payment_columns!("p"),
            ", c.external_id, c.name as customer_name, c.email, r.id as price_id, r.name as price_name,
               d.name as product_name, r.interval_unit, r.interval_count"
        )
    };
}

macro_rules! received_from {
    () => {
        " from payments p join customers c on c.shard = p.shard and c.id = p.customer_id
          left join prices r on r.id = p.price_id left join products d on d.id = r.product_id "
    };
}

const ONE: &str =
    concat!("select ", received_columns!(), received_from!(), "where p.shard = $1 and p.id = $2");
const OF_CUSTOMER: &str = concat!(
    "select p.category, p.kind, ",
    received_columns!(),
    received_from!(),
    "where p.shard = $1 and p.customer_id = $2 and p.paid_at >= $3 and p.paid_at < $4
       and p.environment = $5 and p.currency = $6 and p.status = 'succeeded' and p.deleted_at is null
     order by p.paid_at desc, p.id desc"
);
const SUMS_OF_CUSTOMER: &str = "select category, kind, amount from payments p
     where p.shard = $1 and p.customer_id = $2 and p.paid_at >= $3 and p.paid_at < $4
       and p.environment = $5 and p.currency = $6 and p.status = 'succeeded' and p.deleted_at is null";
/// The last 32 bits of an id are free where only the first 96 are spelled.
const SPELLED: &str =
    "select id from payments where shard = $1 and id between $2 and $3 and environment = $4 limit 2";

/// How many payments are wanted, and what they sum to in minor units.
#[boxed]
pub async fn totals(s: &mut Snapshot, wanted: Wanted) -> Result<Totals, Error> {
    let Some(customer) = wanted.customer else {
        let rankings = wanted.counted_lists(s.shards());
        let lists = received_lists(wanted.categories, wanted.kind);
        return match wanted.between {
            Between { from: None, until: None } => counted_list::total(s, &rankings, lists).await,
            between => counted_list::totals_between(s, &rankings, lists, between).await,
        };
    };
    let mut totals = Totals::default();
    let mut too_large = false;
    let see = |row: &Row<'_>| {
        if wanted.has(Word::of(row, "category")?, Word::of(row, "kind")?) {
            totals.count += 1;
            match totals.amount.checked_add(Int::of(row, "amount")?) {
                Some(amount) => totals.amount = amount,
                None => too_large = true,
            }
        }
        Ok(())
    };
    s.each(SUMS_OF_CUSTOMER, &wanted.of(customer), see).await?;
    if too_large {
        Err(Error::Corrupt("the sum of payments does not fit 64 bits".into()))
    } else {
        Ok(totals)
    }
}

/// A page of the wanted payments, those that came last first, and how many there are.
#[boxed]
pub async fn page(
    s: &mut Snapshot,
    wanted: Wanted,
    offset_page: OffsetPage,
) -> Result<(i64, Vec<PaymentRow>), Error> {
    let Some(customer) = wanted.customer else { return page_of_all(s, wanted, offset_page).await };
    let (mut total, mut page) = (0_i64, Vec::new());
    let (first, last) = (offset_page.skip(), offset_page.skip().saturating_add(offset_page.limit));
    let see = |row: &Row<'_>| {
        if wanted.has(Word::of(row, "category")?, Word::of(row, "kind")?) {
            if (first..last).contains(&total) {
                page.push(read(row)?);
            }
            total += 1;
        }
        Ok(())
    };
    s.each(OF_CUSTOMER, &wanted.of(customer), see).await?;
    Ok((total, page))
}

async fn page_of_all(
    s: &mut Snapshot,
    wanted: Wanted,
    offset_page: OffsetPage,
) -> Result<(i64, Vec<PaymentRow>), Error> {
    let total = totals(s, wanted).await?.count;
    if offset_page.skip() >= total {
        return Ok((total, Vec::new()));
    }
    let lists = received_lists(wanted.categories, wanted.kind);
    let limit = usize::try_from(offset_page.limit).unwrap_or(0);
    let entries = counted_list::page(
        s,
        &wanted.counted_lists(s.shards()),
        lists,
        wanted.between,
        offset_page.skip(),
        limit,
    )
    .await?;
    let keys = entries.iter().map(|entry| {
        let id = PaymentId::from_raw(entry.id);
        [id.shard().into(), id.raw().into()]
    });
    let mut rows = Vec::with_capacity(entries.len());
    s.each_for(ONE, keys, |_, row| {
        rows.push(read(row)?);
        Ok(())
    })
    .await?;
    Ok((total, rows))
}

/// A payment that was received in an environment and not taken back.
#[boxed]
pub async fn one(s: &mut Snapshot, environment: i64, id: PaymentId) -> Result<Option<PaymentRow>, Error> {
    let found = s.row(ONE, &[id.shard().into(), id.raw().into()], read).await?;
    Ok(found.filter(|received| {
        received.payment.environment == environment && received.payment.deleted_at.is_none()
    }))
}

/// The payment whose id begins with 96 bits; none if there is none or more than one.
#[boxed]
pub async fn spelled(s: &mut Snapshot, environment: i64, first: u128) -> Result<Option<PaymentId>, Error> {
    let (low, high) = (first << 32, first << 32 | 0xffff_ffff);
    let keys = [billing::id::shard_of(low).into(), low.into(), high.into(), environment.into()];
    let found = s.rows(SPELLED, &keys, |row| Id::of(row, "id")).await?;
    Ok(if let [only] = found[..] { Some(only) } else { None })
}

impl Wanted {
    /// One counted list for each shard.
    fn counted_lists(&self, shards: i64) -> Vec<CountedList> {
        (0..shards).map(|shard| received(shard, self.environment, self.currency)).collect()
    }

    fn has(&self, category: Category, kind: PaymentKind) -> bool {
        received_lists(self.categories, self.kind).has(crate::received_payments::list(category, kind))
    }

    fn of(&self, customer: CustomerId) -> [crate::Param<'static>; 6] {
        [
            customer.shard().into(),
            customer.raw().into(),
            self.between.from.unwrap_or(i64::MIN).into(),
            self.between.until.unwrap_or(i64::MAX).into(),
            self.environment.into(),
            self.currency.code().into(),
        ]
    }
}

fn read(row: &Row<'_>) -> Result<PaymentRow, Error> {
    Ok(PaymentRow {
        payment: row.record()?,
        customer_external_id: Text::of(row, "external_id")?,
        customer_name: Text::of(row, "customer_name")?,
        customer_email: Text::of(row, "email")?,
        plan: match Opt::<Id>::of(row, "price_id")? {
            None => None,
            Some(price_id) => Some(Plan {
                price_id,
                price_name: Opt::<Text>::of(row, "price_name")?,
                product_name: Opt::<Text>::of(row, "product_name")?.unwrap_or_default(),
                interval: Opt::<Every>::read(row, &["interval_unit", "interval_count"])?,
            }),
        },
    })
}
