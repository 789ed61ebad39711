//! Organizations, their environments and their staff.

use crate::{Error, Param, Row};
use billing::customer::{Organization, Staff};
use billing::environment::Environment;

record! { ($)
    organizations: Organization, organization_columns;
    environment |_| None;
    key { id: Id }
    once { name: Text, created_at: Time }
    mutable {}
}

// The clock is moved by a statement of its own, which never moves it back.
record! { ($)
    environments: Environment, environment_columns;
    environment |row| Some(row.number);
    touches catalog;
    key { number: Int }
    once { organization_id: Id, livemode: Bool, clock: Opt<Time>, created_at: Time }
    mutable {
        zone: Text,
        currency: CurrencyCode,
        numbering: Word,
        invoice_prefix: Text,
        due_days: Int,
        grace_days: Int,
        dunning: Dunning = (dunning_days, dunning_end),
        remind_at_percent_remaining: Int,
        multiple_subscriptions: Bool,
        default_product: Opt<Text>,
    }
}

record! { ($)
    staff: Staff, staff_columns;
    environment |row| Some(row.environment);
    touches credentials;
    key { id: Id }
    once { environment: Int, email: Text, name: Text, role: Text, disabled: Bool, created_at: Time }
    mutable {}
}
