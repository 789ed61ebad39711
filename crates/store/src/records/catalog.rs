//! Catalogs, products, prices, discounts and tax rates.

use crate::{Error, Param, Row};
use billing::catalog::{Catalog, Discount, Price, Product, TaxRate};

record! { ($)
    catalogs: Catalog, catalog_columns;
    environment |row| Some(row.environment);
    touches catalog;
    tally rows;
    key { id: Id }
    once { environment: Int, created_at: Time }
    mutable { name: Text, is_default: Bool, updated_at: Time }
}

record! { ($)
    products: Product, product_columns;
    environment |row| Some(row.environment);
    touches catalog;
    tally numbered;
    key { id: Id }
    once { environment: Int, number: Int, catalog_id: Id, created_at: Time }
    mutable {
        name: Text,
        slug: Opt<Text>,
        description: Opt<Text>,
        image_url: Opt<Text>,
        category: Word,
        is_default: Bool,
        active: Bool,
        display_features: Opt<Text>,
        singular_quantity_label: Opt<Text>,
        plural_quantity_label: Opt<Text>,
        updated_at: Time,
    }
}

record! { ($)
    prices: Price, price_columns;
    environment |row| Some(row.environment);
    touches catalog;
    tally numbered;
    key { id: Id }
    once {
        environment: Int,
        number: Int,
        product_id: Id,
        kind: Word,
        unit_price: Amount = (unit_price, currency),
        interval: Opt<Every> = (interval_unit, interval_count),
        trial_days: Opt<Int>,
        setup_fee: Opt<SameCurrency>,
        period_count: Opt<Int>,
        tax_behavior: Word,
        created_at: Time,
    }
    mutable { name: Opt<Text>, slug: Opt<Text>, is_default: Bool, active: Bool, updated_at: Time }
}

record! { ($)
    discounts: Discount, discount_columns;
    environment |row| Some(row.environment);
    tally rows;
    key { id: Id }
    once { environment: Int, created_at: Time }
    mutable {
        name: Text,
        code: Text,
        amount: Off = (percent, fixed, currency),
        duration: Payments = (payments),
        active: Bool,
        updated_at: Time,
    }
}

record! { ($)
    tax_rates: TaxRate, tax_rate_columns;
    environment |row| Some(row.environment);
    tally rows;
    key { id: Id }
    once {
        environment: Int,
        kind: Text,
        country: Text,
        state: Opt<Text>,
        category: Opt<Word>,
        rate: Percent,
        created_at: Time,
    }
    mutable {}
}
