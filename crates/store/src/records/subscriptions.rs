//! Subscriptions, their items and their periods.

use crate::{Error, Param, Row};
use billing::subscription::{BillingPeriod, Item, PeriodEnd, PeriodReminder, Subscription};

record! { ($)
    subscriptions: Subscription, subscription_columns;
    environment |row| Some(row.environment);
    shard id;
    tally numbered;
    key { id: Id }
    once {
        environment: Int,
        number: Int,
        customer_id: Id,
        currency: CurrencyCode,
        interval: Every = (interval_unit, interval_count),
        zone: Text,
        started_at: Time,
        created_at: Time,
    }
    mutable {
        price_id: Id,
        product_id: Id,
        category: Word,
        name: Text,
        status: Word,
        anchor: Time,
        period_index: Int,
        period_id: Id,
        period: Span = (period_start, period_end),
        periods_left: Opt<Int>,
        trial_end: Opt<Time>,
        default_payment_method_id: Opt<Id>,
        backup_payment_method_id: Opt<Id>,
        discount_id: Opt<Id>,
        discount_payments_left: Opt<Int>,
        cancel_scheduled_at: Opt<Time>,
        canceled_at: Opt<Time>,
        ended_at: Opt<Time>,
        reminded_at: Opt<Time>,
        due_at: Opt<Time>,
        metadata: Opt<Text>,
        updated_at: Time,
    }
}

record! { ($)
    items: Item, item_columns;
    environment |row| Some(row.environment);
    shard id;
    key { subscription_id: Id, id: Id }
    once {
        environment: Int,
        customer_id: Id,
        price_id: Id,
        product_id: Id,
        category: Word,
        unit_price: Amount = (unit_price, currency),
        tax_behavior: Word,
        created_at: Time,
    }
    mutable { quantity: Int, name: Text, pending: Opt<Word>, added_at: Time, updated_at: Time }
}

record! { ($)
    periods: BillingPeriod, period_columns;
    environment |row| Some(row.environment);
    shard id;
    tally numbered;
    key { id: Id }
    once {
        environment: Int,
        number: Int,
        customer_id: Id,
        subscription_id: Id,
        price_id: Id,
        quantity: Int,
        invoice_id: Opt<Id>,
        renewal: Bool,
        created_at: Time,
    }
    mutable {
        period: Span = (period_start, period_end),
        reminder_sent_at: Opt<Time>,
        updated_at: Time,
    }
}

// What changes of a period where only its subscription was read.
record! { ($)
    periods: PeriodEnd, period_end_columns;
    environment |row| Some(row.environment);
    shard id;
    key { id: Id }
    once { environment: Int }
    mutable { period_end: Time, updated_at: Time }
}

record! { ($)
    periods: PeriodReminder, period_reminder_columns;
    environment |row| Some(row.environment);
    shard id;
    key { id: Id }
    once { environment: Int }
    mutable { reminder_sent_at: Opt<Time>, updated_at: Time }
}
