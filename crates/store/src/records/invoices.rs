//! Invoices, their lines and their taxes.

use crate::{Error, Param, Row};
use billing::invoice::{Invoice, InvoiceLine, InvoiceTax};

// What is written once is sealed; what may change is how far it is settled.
record! { ($)
    invoices: Invoice, invoice_columns;
    environment |row| Some(row.environment);
    shard id;
    tally rows;
    key { id: Id }
    once {
        environment: Int,
        ordinal: Int,
        customer_ordinal: Int,
        currency_ordinal: Int,
        number: Text,
        customer_id: Id,
        kind: Word,
        subscription_id: Opt<Id>,
        period_id: Opt<Id>,
        purchase_id: Opt<Id>,
        product_id: Opt<Id>,
        price_id: Opt<Id>,
        category: Word,
        currency: CurrencyCode,
        subtotal: Int,
        tax: Int,
        total: Int,
        invoice_date: Time,
        due_date: Time,
        period: Opt<Span> = (period_start, period_end),
        memo: Opt<Text>,
        content_hash: Bytes,
        created_at: Time,
    }
    mutable {
        status: Word,
        settled: Int,
        refunded: Int,
        paid_at: Opt<Time>,
        attempt_count: Int,
        retry_count: Int,
        next_attempt_at: Opt<Time>,
        last_failure: Opt<Text>,
        updated_at: Time,
    }
}

record! { ($)
    invoice_lines: InvoiceLine, invoice_line_columns;
    environment |row| Some(row.environment);
    shard id;
    tally rows;
    key { invoice_id: Id, position: Int }
    once {
        id: Id,
        environment: Int,
        description: Text,
        price_id: Opt<Id>,
        category: Word,
        quantity: Int,
        amount: Int,
        created_at: Time,
    }
    mutable {}
}

record! { ($)
    invoice_taxes: InvoiceTax, invoice_tax_columns;
    environment |_| None;
    shard invoice_id;
    key { invoice_id: Id, position: Int }
    once {
        category: Word,
        kind: Text,
        country: Text,
        state: Opt<Text>,
        rate: Percent,
        taxable: Int,
        amount: Int,
    }
    mutable {}
}
