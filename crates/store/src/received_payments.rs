//! The counted lists of received money: one counted list for each shard, environment and currency, in
//! which every payment is in one list by what it is for and how it came.

use crate::counted_list::{self, CountedList, Entry, Lists};
use crate::{Error, Tx};
use billing::catalog::Category;
use billing::currency::Currency;
use billing::id::Id;
use billing::payment::{Payment, PaymentKind, PaymentStatus};
use std::collections::{BTreeMap, BTreeSet};

/// The counted list of the money that was received in a currency from the customers of a shard.
pub fn received(shard: i64, environment: i64, currency: Currency) -> CountedList {
    let letters = currency.code().bytes().fold(0, |n, letter| n * 26 + i64::from(letter - b'A'));
    CountedList { shard, environment, number: letters }
}

/// The lists of the categories and kinds that are asked for; none asks for all.
pub fn received_lists(categories: Option<&[Category]>, kind: Option<PaymentKind>) -> Lists {
    let mut lists = Lists::NONE;
    for some_category in Category::ALL {
        for some_kind in PaymentKind::ALL {
            if categories.is_none_or(|wanted| wanted.contains(some_category))
                && kind.is_none_or(|wanted| wanted == *some_kind)
            {
                lists = lists.with(list(*some_category, *some_kind));
            }
        }
    }
    lists
}

/// The list of a category and a kind. It stands in the books: a new category comes last.
pub(crate) fn list(category: Category, kind: PaymentKind) -> u8 {
    let of_category = match category {
        Category::Subscription => 0,
        Category::AddOn => 1,
        Category::Credits => 2,
        Category::AiTools => 3,
        Category::Sms => 4,
        Category::Storage => 5,
    };
    2 * of_category + u8::from(kind == PaymentKind::Manual)
}

/// A payment's place, if it is money that was received and not taken back.
pub(crate) fn place(payment: &Payment) -> Option<(CountedList, Entry)> {
    (payment.status == PaymentStatus::Succeeded && payment.deleted_at.is_none()).then(|| {
        let ranking = received(payment.id.shard(), payment.environment, payment.currency);
        let entry = Entry {
            list: list(payment.category, payment.kind),
            at: payment.paid_at.micros(),
            id: payment.id.raw(),
            amount: payment.amount,
        };
        (ranking, entry)
    })
}

/// Brings the lists in line with payments that were inserted or changed.
pub(crate) async fn follow<'p>(
    tx: &mut Tx,
    moves: Vec<(Option<&'p Payment>, &'p Payment)>,
) -> Result<(), Error> {
    let moves: Vec<_> = moves
        .into_iter()
        .map(|(before, after)| (before.and_then(place), place(after)))
        .filter(|(before, after)| before != after)
        .collect();
    let places = moves.iter().flat_map(|(before, after)| [before, after]).flatten();
    let rankings: BTreeSet<(i64, i64)> =
        places.map(|(ranking, _)| (ranking.environment, ranking.shard)).collect();
    for (environment, shard) in rankings {
        tx.take_turns(environment, shard).await?;
    }
    let mut added: BTreeMap<CountedList, Vec<Entry>> = BTreeMap::new();
    for (before, after) in moves {
        if let Some((ranking, entry)) = before {
            counted_list::remove(tx, ranking, entry.list, entry.at, entry.id).await?;
        }
        if let Some((ranking, entry)) = after {
            added.entry(ranking).or_default().push(entry);
        }
    }
    for (ranking, entries) in added {
        counted_list::insert(tx, ranking, &entries).await?;
    }
    Ok(())
}
