//! Rows with sound values; a test changes what it is about with `..`.

use billing::subscription::Status;
use billing::{
    BillingPeriod, CatalogId, Category, Currency, Customer, CustomerId, CustomerUser, CustomerUserId, Id,
    Interval, IntervalUnit, Invoice, InvoiceKind, InvoiceStatus, Money, Payment, PaymentChannel, PaymentKind,
    PaymentStatus, Period, Price, PriceKind, Product, Staff, StaffId, Subscription, TaxBehavior, Timestamp,
};

/// An id from a number, with time and counter bits that keep the 24 hex digits apart.
pub(crate) fn id<T: Id>(n: u128) -> T {
    T::from_raw((0x0190_0000_0000_u128 << 80) | (0x7 << 76) | (0b10 << 62) | (n << 32) | n)
}

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

const MADE: Timestamp = Timestamp::from_seconds(1_767_225_600);

pub(crate) fn staff(environment: i64, id: StaffId, role: &str) -> Staff {
    Staff {
        id,
        environment,
        email: format!("staff-{:x}@example.com", id.raw()),
        name: "Sam Staff".into(),
        role: role.into(),
        disabled: false,
        created_at: MADE,
    }
}

pub(crate) fn customer(environment: i64, id: CustomerId) -> Customer {
    Customer {
        id,
        environment,
        external_id: format!("ext-{:x}", id.raw() & 0xffff_ffff),
        handle: Some(format!("c{:x}.example", id.raw() & 0xffff_ffff)),
        name: "Example Workspace".into(),
        email: "workspace@example.com".into(),
        archived: false,
        invoice_number_base: format!("{:07X}", id.raw() & 0xfff_ffff),
        logo_url: None,
        icon_url: None,
        domain: None,
        billing_address: None,
        country: None,
        state: None,
        user_id: None,
        catalog_id: None,
        zone: None,
        created_at: MADE,
        updated_at: MADE,
    }
}

pub(crate) fn customer_user(environment: i64, id: CustomerUserId, customer_id: CustomerId) -> CustomerUser {
    CustomerUser {
        id,
        environment,
        customer_id,
        email: format!("user-{:x}@example.com", id.raw()),
        name: "Uma User".into(),
        created_at: MADE,
    }
}

pub(crate) fn product(environment: i64, n: u128, catalog_id: CatalogId) -> Product {
    Product {
        id: id(n),
        environment,
        number: 0,
        catalog_id,
        name: "Professional".into(),
        slug: Some(format!("professional-{n}")),
        description: None,
        image_url: None,
        category: Category::Subscription,
        is_default: false,
        active: true,
        display_features: None,
        singular_quantity_label: None,
        plural_quantity_label: None,
        created_at: MADE,
        updated_at: MADE,
    }
}

pub(crate) fn price(product: &Product, n: u128, minor: i64, currency: Currency) -> Price {
    Price {
        id: id(n),
        environment: product.environment,
        number: 0,
        product_id: product.id,
        kind: PriceKind::Subscription,
        name: Some("Professional Plan".into()),
        slug: None,
        unit_price: Money::new(minor, currency),
        interval: Some(Interval::new(IntervalUnit::Month, 1)),
        trial_days: None,
        setup_fee: None,
        period_count: None,
        tax_behavior: TaxBehavior::Exclusive,
        is_default: true,
        active: true,
        created_at: MADE,
        updated_at: MADE,
    }
}

/// A subscription that runs, in its first period.
pub(crate) fn subscription(customer: &Customer, price: &Price, n: u128, period: Period) -> Subscription {
    Subscription {
        id: id(n),
        environment: customer.environment,
        number: 0,
        customer_id: customer.id,
        price_id: price.id,
        product_id: price.product_id,
        category: Category::Subscription,
        name: "Professional".into(),
        status: Status::Active,
        currency: price.unit_price.currency(),
        interval: price.interval.unwrap_or(Interval::new(IntervalUnit::Month, 1)),
        anchor: period.start,
        zone: customer.zone.clone().unwrap_or("UTC".into()),
        period_index: 0,
        period_id: id(n + 1),
        period,
        periods_left: None,
        trial_end: None,
        default_payment_method_id: None,
        backup_payment_method_id: None,
        discount_id: None,
        discount_payments_left: None,
        cancel_scheduled_at: None,
        canceled_at: None,
        ended_at: None,
        reminded_at: None,
        due_at: None,
        metadata: None,
        started_at: period.start,
        created_at: period.start,
        updated_at: period.start,
    }
}

/// The current period of a subscription, charged by an invoice.
pub(crate) fn period(subscription: &Subscription, invoice: Option<&Invoice>) -> BillingPeriod {
    BillingPeriod {
        id: subscription.period_id,
        environment: subscription.environment,
        number: 0,
        customer_id: subscription.customer_id,
        subscription_id: subscription.id,
        period: subscription.period,
        price_id: subscription.price_id,
        quantity: 1,
        invoice_id: invoice.map(|invoice| invoice.id),
        renewal: false,
        reminder_sent_at: None,
        created_at: subscription.period.start,
        updated_at: subscription.period.start,
    }
}

/// A paid invoice without tax; `ordinal` is its place among the customer's invoices of its currency.
pub(crate) fn invoice(customer: &Customer, n: u128, ordinal: i64, total: i64, currency: Currency) -> Invoice {
    Invoice {
        id: id(n),
        environment: customer.environment,
        ordinal: 0,
        customer_ordinal: ordinal,
        currency_ordinal: ordinal,
        number: String::new(),
        customer_id: customer.id,
        kind: InvoiceKind::Standalone,
        subscription_id: None,
        period_id: None,
        purchase_id: None,
        product_id: None,
        price_id: None,
        category: Category::Subscription,
        currency,
        subtotal: total,
        tax: 0,
        total,
        invoice_date: MADE,
        due_date: MADE,
        period: None,
        memo: None,
        content_hash: Vec::new(),
        status: InvoiceStatus::Paid,
        settled: total,
        refunded: 0,
        paid_at: Some(MADE),
        attempt_count: 1,
        retry_count: 0,
        next_attempt_at: None,
        last_failure: None,
        created_at: MADE,
        updated_at: MADE,
    }
}

/// Money of an automatic charge that has come.
pub(crate) fn payment(customer: &Customer, n: u128, amount: i64, paid_at: Timestamp) -> Payment {
    Payment {
        id: id(n),
        environment: customer.environment,
        customer_id: customer.id,
        invoice_id: None,
        attempt: None,
        is_retry: false,
        payment_method_id: None,
        kind: PaymentKind::Automatic,
        means: PaymentChannel::Card,
        category: Category::Subscription,
        amount,
        currency: Currency::USD,
        refunded: 0,
        status: PaymentStatus::Succeeded,
        paid_at,
        failure_code: None,
        failure_message: None,
        gateway_reference: None,
        description: None,
        notes: None,
        receipt_image: None,
        created_by: None,
        price_id: None,
        discount_percent: 0,
        created_at: paid_at,
        updated_at: paid_at,
        deleted_at: None,
    }
}
