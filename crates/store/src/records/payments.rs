//! Payments, refunds, balances and purchases.

use crate::{Error, Param, Row};
use billing::payment::{Allocation, Credit, Payment, Refund};
use billing::purchase::Purchase;

record! { ($)
    payments: Payment, payment_columns;
    environment |row| Some(row.environment);
    shard id;
    tally rows where "deleted_at is null" = |row| row.deleted_at.is_none();
    key { id: Id }
    once {
        environment: Int,
        customer_id: Id,
        invoice_id: Opt<Id>,
        attempt: Opt<Int>,
        is_retry: Bool,
        payment_method_id: Opt<Id>,
        kind: Word,
        category: Word,
        currency: CurrencyCode,
        created_by: Opt<Id>,
        price_id: Opt<Id>,
        discount_percent: Int,
        created_at: Time,
    }
    mutable {
        means: Word,
        amount: Int,
        refunded: Int,
        status: Word,
        paid_at: Time,
        failure_code: Opt<Text>,
        failure_message: Opt<Text>,
        gateway_reference: Opt<Text>,
        description: Opt<Text>,
        notes: Opt<Text>,
        receipt_image: Opt<Text>,
        updated_at: Time,
        deleted_at: Opt<Time>,
    }
}

record! { ($)
    refunds: Refund, refund_columns;
    environment |row| Some(row.environment);
    shard id;
    tally rows;
    key { id: Id }
    once {
        environment: Int,
        customer_id: Id,
        payment_id: Id,
        invoice_id: Opt<Id>,
        amount: Int,
        currency: CurrencyCode,
        reason: Opt<Text>,
        created_at: Time,
    }
    mutable { status: Word, failure_message: Opt<Text>, updated_at: Time }
}

record! { ($)
    credits: Credit, credit_columns;
    environment |row| Some(row.environment);
    shard id;
    key { id: Id }
    once {
        environment: Int,
        customer_id: Id,
        payment_id: Opt<Id>,
        currency: CurrencyCode,
        created_at: Time,
    }
    mutable { amount: Int, remaining: Int }
}

record! { ($)
    allocations: Allocation, allocation_columns;
    environment |row| Some(row.environment);
    shard id;
    key { id: Id }
    once {
        environment: Int,
        customer_id: Id,
        credit_id: Id,
        invoice_id: Id,
        amount: Int,
        created_at: Time,
    }
    mutable {}
}

record! { ($)
    purchases: Purchase, purchase_columns;
    environment |row| Some(row.environment);
    shard id;
    tally rows;
    key { id: Id }
    once {
        environment: Int,
        customer_id: Id,
        price_id: Id,
        name: Text,
        quantity: Int,
        first_invoice_value: Int,
        price_per_cycle: Opt<Int>,
        currency: CurrencyCode,
        metadata: Opt<Text>,
        created_at: Time,
    }
    mutable { status: Word, purchased_at: Opt<Time>, updated_at: Time }
}
