//! What the books hold in the end, asked past the program.

use super::load::Acked;
use super::shop::{Ask, Kind, PERIODS};
use serde_json::Value;
use testbed::Cluster;

/// An instant so long ago that subscriptions of a day have so many periods behind them and in them.
pub(crate) async fn start_of_subscriptions(cluster: &Cluster) -> String {
    let hours = 24 * PERIODS - 12;
    let sql = format!(
        "select to_char(now() at time zone 'UTC' - interval '{hours} hours', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
    );
    column(cluster, &sql).await.remove(0)
}

/// Whether everything that has fallen due is done, and no payment is under way.
pub(crate) async fn nothing_is_due(cluster: &Cluster) -> bool {
    let sql = "select count(*)::text from (
         select id from subscriptions where due_at <= extract(epoch from now()) * 1000000
         union all select id from payments where status = 'processing') open";
    column(cluster, sql).await == ["0"]
}

async fn column(cluster: &Cluster, sql: &str) -> Vec<String> {
    let rows = cluster.texts(sql).await;
    rows.into_iter().map(|mut row| row.remove(0).unwrap_or_default()).collect()
}

/// The id of what an answer shows.
pub(crate) fn id(answer: &Value) -> &Value {
    let data = if answer["data"].is_object() { &answer["data"] } else { answer };
    let places = ["customer", "paymentMethod", "subscription", "invoice"];
    let shown = places.iter().map(|name| &data[*name]).find(|shown| shown.is_object()).unwrap_or(data);
    let id = if shown["id"].is_null() { &shown["_id"] } else { &shown["id"] };
    assert!(id.is_string(), "no id: {answer}");
    id
}

/// Every acknowledged write is there, once; of what is in doubt each is there at most once, and nothing else
/// is. Each period has one invoice and each invoice one payment.
pub(crate) async fn check(cluster: &Cluster, acked: &[Acked], in_doubt: &[Ask]) {
    for (kind, sql) in [
        (Kind::Customer, "select external_id from customers where external_id <> 'reader' order by 1"),
        (
            Kind::Card,
            "select c.external_id from payment_methods m join customers c on c.id = m.customer_id order by 1",
        ),
        (Kind::Subscription, "select name from subscriptions order by 1"),
        (Kind::Invoice, "select memo from invoices where memo is not null order by 1"),
        (Kind::ManualPayment, "select description from payments where invoice_id is null order by 1"),
    ] {
        let mut wanted: Vec<&str> = acked
            .iter()
            .filter(|acked| acked.ask.kind == kind)
            .map(|acked| acked.ask.name.as_str())
            .collect();
        assert!(!wanted.is_empty(), "{kind:?}");
        let there = column(cluster, sql).await;
        let doubtful = in_doubt.iter().filter(|ask| ask.kind == kind).map(|ask| ask.name.as_str());
        wanted.extend(doubtful.filter(|name| there.iter().any(|one| one == name)));
        wanted.sort_unstable();
        assert_eq!(there, wanted, "{kind:?}");
    }
    let none: [&str; 0] = [];
    let odd = format!(
        "select s.name from subscriptions s join invoices i on i.shard = s.shard and i.subscription_id = s.id
         group by s.name having count(*) <> {PERIODS} or count(distinct i.period_start) <> {PERIODS} limit 10"
    );
    assert_eq!(column(cluster, &odd).await, none, "a period was not invoiced once");
    // What was paid in cash beforehand pays for some of them.
    let unpaid = "select i.number from invoices i left join payments p on p.shard = i.shard
             and p.invoice_id = i.id and p.status = 'succeeded'
         group by i.number, i.total, i.settled having count(p.id) > 1 or i.settled <> i.total limit 10";
    assert_eq!(column(cluster, unpaid).await, none, "an invoice was not paid once");
}
