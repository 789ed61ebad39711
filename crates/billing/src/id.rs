//! Ids: one `u128` in UUIDv7 layout, made only by [`Ids`], spelled differently by every face.
//!
//! Layout: 48 bits of milliseconds, version 7, the counter's upper ten bits, the mark `01`, the variant,
//! the counter's lower 20 bits, ten bits of the customer's shard and 32 random bits. The counter comes
//! before the shard, so that what one process makes sorts in the order in which it was made, whatever
//! shards it belongs to. The first 96 bits (time, counter and shard) are unique by themselves, because
//! one face spells only those.
//!
//! Ids of books that are older have the mark `00`: their shard stands where the counter's upper bits
//! are now, and all of the counter after the variant.
//!
//! Owns ids and [`Ctx`], by which time and ids come to a decision. Which shard a new customer gets is in `sharding`.
//! The milliseconds are of the clock that the maker is told, which in test books is not the real one.

use crate::sharding::ShardPlacement;
use crate::timestamp::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// What every typed id can do.
pub trait Id: Copy + Eq + Ord + std::fmt::Debug {
    /// Wraps a raw id that came from the books or from a face's spelling.
    fn from_raw(raw: u128) -> Self;
    /// The raw 128 bits.
    fn raw(self) -> u128;
    /// The shard of the customer that the row belongs to: 0 to 1023.
    fn shard(self) -> i64 {
        shard_of(self.raw())
    }
}

/// The shard that a raw id carries. An id that was not made here but brought along from elsewhere, which
/// its version tells, belongs to shard 0.
pub const fn shard_of(raw: u128) -> i64 {
    if (raw >> 76) & 0xf != 7 {
        return 0;
    }
    let at = if (raw >> 64) & 0b11 == MARK { SHARD_AT } else { SHARD_AT_BEFORE };
    ((raw >> at) & SHARD_MASK) as i64
}

const MARK: u128 = 0b01;
const SHARD_AT: u32 = 32;
const SHARD_AT_BEFORE: u32 = 66;
const SHARD_MASK: u128 = 0x3ff;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
        pub struct $name(u128);

        impl Id for $name {
            fn from_raw(raw: u128) -> Self {
                Self(raw)
            }
            fn raw(self) -> u128 {
                self.0
            }
        }
    )+};
}

ids! {
    /// Money of the customer's balance that was used for an invoice.
    AllocationId,
    /// A set of products.
    CatalogId,
    /// An API key or token.
    CredentialId,
    /// Money on a customer's balance.
    CreditId,
    /// A buyer.
    CustomerId,
    /// A person of a buyer.
    CustomerUserId,
    /// A reduction of price.
    DiscountId,
    /// An invoice.
    InvoiceId,
    /// A line of an invoice.
    InvoiceLineId,
    /// A priced part of a subscription.
    ItemId,
    /// A journal entry.
    JournalEntryId,
    /// A seller.
    OrganizationId,
    /// One attempt to move money.
    PaymentId,
    /// A card or account that can be charged.
    PaymentMethodId,
    /// A billing period of a subscription.
    PeriodId,
    /// A price of a product.
    PriceId,
    /// Something sold.
    ProductId,
    /// A sale.
    PurchaseId,
    /// Money given back.
    RefundId,
    /// A person of the seller.
    StaffId,
    /// A subscription.
    SubscriptionId,
    /// A tax rate.
    TaxRateId,
}

/// The only maker of ids. Seeded, so that the same seed makes the same ids.
///
/// Makers that were split from each other share one counter, so that what they make at the same
/// instant differs.
#[derive(Debug, Clone)]
pub struct Ids {
    state: u64,
    counter: Arc<AtomicU32>,
}

impl Ids {
    /// A maker whose ids follow from the seed and the times it is told.
    pub fn seeded(seed: u64) -> Self {
        let mut ids = Self { state: seed, counter: Arc::default() };
        let first = ids.random() as u32;
        ids.counter.store(first, Ordering::Relaxed);
        ids
    }

    /// Another maker, with randomness of its own: for one request among many.
    pub fn split(&mut self) -> Self {
        Self { state: self.random(), counter: Arc::clone(&self.counter) }
    }

    /// A new id of a row that belongs to the given shard.
    pub fn next<T: Id>(&mut self, now: Timestamp, shard: i64) -> T {
        let millis = (now.millis().max(0) as u128) & 0xffff_ffff_ffff;
        let counter = u128::from(self.counter.fetch_add(1, Ordering::Relaxed) & COUNTER_MASK);
        let (upper, lower) = (counter >> 20, counter & 0xf_ffff);
        let shard = (shard as u128) & SHARD_MASK;
        let random = u128::from(self.random() >> 32);
        T::from_raw(
            (millis << 80)
                | (0x7 << 76)
                | (upper << 66)
                | (MARK << 64)
                | (0b10 << 62)
                | (lower << 42)
                | (shard << SHARD_AT)
                | random,
        )
    }

    /// The next number of the generator (SplitMix64, Steele, Lea and Flood 2014).
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

const COUNTER_MASK: u32 = 0x3fff_ffff;

/// Time and ids: the first argument of every decision.
#[derive(Debug)]
pub struct Ctx {
    /// The instant at which the decision is made.
    pub now: Timestamp,
    /// The maker of ids.
    pub ids: Ids,
    /// How new customers are spread over shards.
    pub placement: ShardPlacement,
}

/// A request whose caller may repeat it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The number of the environment within which the key is unique.
    pub environment: i64,
    /// The caller's key for it.
    pub key: String,
    /// SHA-256 of all that it asks for.
    pub fingerprint: Vec<u8>,
    /// When it came, by the real clock.
    pub received_at: Timestamp,
}

impl Ctx {
    /// Decisions at an instant.
    pub fn new(now: Timestamp, ids: Ids) -> Self {
        Self { now, ids, placement: ShardPlacement::NONE }
    }

    /// A new id of a customer of an environment, in one of the shards.
    pub fn customer_id<T: Id>(&mut self, environment: i64) -> T {
        let id: T = self.id(0);
        // The lowest bits of an id are random.
        let shard = self.placement.shard(environment, id.raw() & 0xffff_ffff);
        T::from_raw(id.raw() | (shard as u128) << SHARD_AT)
    }

    /// A new id of a row that belongs to a customer's shard.
    pub fn id<T: Id>(&mut self, shard: i64) -> T {
        self.ids.next(self.now, shard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_uuid_v7_and_carry_the_shard() {
        let mut ids = Ids::seeded(7);
        let id: InvoiceId = ids.next(Timestamp::from_millis(1_700_000_000_123), 777);
        assert_eq!(id.shard(), 777);
        assert_eq!(id.raw() >> 80, 1_700_000_000_123);
        assert_eq!((id.raw() >> 76) & 0xf, 7);
        assert_eq!((id.raw() >> 62) & 0b11, 0b10);
        let of_before = (1_700_000_000_123 << 80) | (0x7 << 76) | (777 << 66) | (0b10 << 62) | 0x155_5555;
        assert_eq!(InvoiceId::from_raw(of_before).shard(), 777, "of books that are older");
        assert_eq!(shard_of(0x5894_7505_6474_4baa_8a6f_fcb8_95a8_e57e), 0, "a random UUID from elsewhere");
    }

    #[test]
    fn the_first_96_bits_are_unique_within_a_millisecond() {
        let mut ids = Ids::seeded(1);
        let now = Timestamp::from_millis(5);
        let spelled: BTreeSet<u128> =
            (0..100_000).map(|_| ids.next::<PaymentId>(now, 3).raw() >> 32).collect();
        assert_eq!(spelled.len(), 100_000);
    }

    #[test]
    fn what_is_made_within_a_millisecond_sorts_as_it_was_made_in_any_shard() {
        let mut ids = Ids::seeded(1);
        ids.counter.store(0x1fff_ff00, Ordering::Relaxed);
        let now = Timestamp::from_millis(5);
        let made: Vec<PaymentId> = (0..2_000).map(|n| ids.next(now, (n * 37) % 1024)).collect();
        assert!(
            made.is_sorted() && made.iter().enumerate().all(|(n, id)| id.shard() == n as i64 * 37 % 1024)
        );
    }

    #[test]
    fn split_generators_do_not_meet() {
        let mut ids = Ids::seeded(1);
        let now = Timestamp::from_millis(5);
        let mut spelled = BTreeSet::new();
        for _ in 0..1_000 {
            let mut child = ids.split();
            spelled.extend((0..50).map(|_| child.next::<PaymentId>(now, 3).raw() >> 32));
        }
        assert_eq!(spelled.len(), 50_000);
    }
}
