//! Customers, their people and their payment methods.

use crate::{Error, Param, Row};
use billing::customer::{Customer, CustomerUser, PaymentMethod};

record! { ($)
    customers: Customer, customer_columns;
    environment |row| Some(row.environment);
    shard id;
    touches customer;
    tally rows;
    key { id: Id }
    once { environment: Int, invoice_number_base: Text, created_at: Time }
    mutable {
        external_id: Text,
        handle: Opt<Text>,
        name: Text,
        email: Text,
        archived: Bool,
        logo_url: Opt<Text>,
        icon_url: Opt<Text>,
        domain: Opt<Text>,
        billing_address: Opt<Text>,
        country: Opt<Text>,
        state: Opt<Text>,
        user_id: Opt<Text>,
        catalog_id: Opt<Id>,
        zone: Opt<Text>,
        updated_at: Time,
    }
}

record! { ($)
    customer_users: CustomerUser, customer_user_columns;
    environment |row| Some(row.environment);
    shard id;
    key { id: Id }
    once { environment: Int, customer_id: Id, email: Text, name: Text, created_at: Time }
    mutable {}
}

record! { ($)
    payment_methods: PaymentMethod, payment_method_columns;
    environment |row| Some(row.environment);
    shard id;
    tally rows;
    key { id: Id }
    once { environment: Int, customer_id: Id, kind: Word, token: Text, created_at: Time }
    mutable {
        is_default: Bool,
        billing_details: Text,
        data: Text,
        metadata: Opt<Text>,
        updated_at: Time,
    }
}
